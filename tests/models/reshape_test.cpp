#include "models/reshape.hpp"

#include <doctest/doctest.h>

#include "models/builtin.hpp"
#include "models/model_spec_check.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using namespace dim::models;
using tests::floats;

namespace {

using dims = std::vector<std::int64_t>;

tensor_spec reshaped(dims from, dims to) {
  return {"x", datatype::fp32, std::move(from), {}, false, true, std::move(to)};
}

std::string problem(dims from, dims to, bool has_batch = true) {
  return reshape_problem(reshaped(std::move(from), std::move(to)), has_batch);
}

}  // namespace

TEST_CASE("a reshape holds as many elements, also between its open dims") {
  CHECK(problem({4}, {2, 2}).empty());
  CHECK(problem({2, 4, -1, 6}, {8, -1, 1, 6}).empty());
  CHECK(problem({-1, -1}, {-1, 1, -1}).empty());
  CHECK(problem({}, {1}).empty());
  CHECK(reshape_problem({"x", datatype::fp32, {4}, {}}, false).empty());
  CHECK(problem({4}, {3}) == "reshape: expected as many elements as in dims [4], got [3]");
  CHECK(problem({4, -1}, {-1, 4})
        == "reshape: expected as many elements as in dims [4, -1], also between the sizes of -1, "
           "got [-1, 4]");
  CHECK(problem({-1, 4}, {4, 4}).find("as many sizes of -1 as in dims [-1, 4]")
        != std::string::npos);
  CHECK(problem({4}, {-1}).find("as many sizes of -1") != std::string::npos);
  CHECK(problem({4}, {0, 4}).find("1 or more, or -1 for any size, got 0") != std::string::npos);
  CHECK(problem({4}, {-2, -2}).find("got -2") != std::string::npos);
  const auto huge = std::int64_t{1} << 40;
  CHECK(problem({huge, huge}, {huge, huge}).find("as many elements") != std::string::npos);
}

TEST_CASE("an empty reshape is one element of each row, and needs rows") {
  CHECK(problem({1}, {}).empty());
  CHECK(problem({1, 1}, {}).empty());
  CHECK(problem({2}, {}).find("as many elements as in dims [2], got []") != std::string::npos);
  CHECK(problem({1}, {}, false).find("the model has no batch dimension") != std::string::npos);
  const auto scalar = reshaped({1}, {});
  CHECK(shape_for_model(scalar, {5, 1}, true) == dims{5});
  CHECK(shape_for_client(scalar, {5}, true) == dims{5, 1});
}

TEST_CASE("open dims keep their sizes in their order, and rows stay, both ways") {
  const auto declared = reshaped({2, -1, 3, -1}, {2, -1, 1, 3, -1});
  CHECK(shape_for_model(declared, {7, 2, 5, 3, 0}, true) == dims{7, 2, 5, 1, 3, 0});
  CHECK(shape_for_client(declared, {7, 2, 5, 1, 3, 0}, true) == dims{7, 2, 5, 3, 0});
  CHECK(shape_for_model(declared, {2, 5, 3, 9}, false) == dims{2, 5, 1, 3, 9});
  const tensor_spec plain{"x", datatype::fp32, {4}, {}};
  CHECK(shape_for_model(plain, {3, 4}, true) == dims{3, 4});
  CHECK(shape_for_client(plain, {3, 4}, true) == dims{3, 4});
}

TEST_CASE("a shape fits what the model gives when its dims are those behind the rows") {
  const auto declared = reshaped({4, -1}, {2, 2, -1});
  CHECK(fits_model(declared, {2, 2, 9}, false));
  CHECK(fits_model(declared, {7, 2, 2, 9}, true));
  CHECK_FALSE(fits_model(declared, {4, 9}, false));
  CHECK_FALSE(fits_model(declared, {7, 2, 3, 9}, true));
  CHECK_FALSE(fits_model(declared, {2, 2, 9}, true));
  CHECK(fits_model({"x", datatype::fp32, {4}, {}}, {7, 4}, true));
}

TEST_CASE("a configuration with a wrong reshape names the field of the tensor") {
  auto spec = tests::simple_spec(4, 2, 8);
  spec.outputs.front().is_reshaped = true;
  spec.outputs.front().reshape = {3};
  CHECK(tests::any_contains(check_model_spec(spec), "outputs[0].reshape: expected as many"));
}

TEST_CASE("a built-in model repeats what it sees, in the shape that its output is to have") {
  auto spec = tests::simple_spec(4, 4, 8);
  spec.kind = model_kind::identity;
  spec.inputs.front() = reshaped({4}, {2, 2});
  spec.outputs.front() = {"y", datatype::fp32, {2, 2}, {}};
  CHECK(check_model_spec(spec).empty());
  const auto outputs = run_builtin(spec, {floats("x", {1, 4}, {1, 2, 3, 4})});
  REQUIRE(outputs.has_value());
  CHECK(outputs->front().shape == dims{1, 2, 2});
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{1, 2, 3, 4});
  spec.outputs.front() = {"y", datatype::fp32, {4}, {}, false, true, {2, 2}};
  CHECK(run_builtin(spec, {floats("x", {1, 4}, {1, 2, 3, 4})})->front().shape == dims{1, 4});
  spec.outputs.front() = {"y", datatype::fp32, {4}, {}};
  CHECK(tests::any_contains(check_model_spec(spec), "which they repeat"));
}
