#include "models/model.hpp"

#include <doctest/doctest.h>

#include "tests/models/script.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using models::datatype;
using tests::floats;
using tests::script;

namespace {

bool contains(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("the program sees reshaped inputs, and clients the declared dims of what it gives") {
  const script file{"def forward(self, x, n):\n    assert x.dim() == 3 and n.dim() == 1\n"
                    "    return (x.transpose(1, 2) * n.reshape([-1, 1, 1]), n)\n"};
  auto spec = tests::simple_spec(4, 4, 8);
  spec.inputs = {{"x", datatype::fp32, {-1}, {}, false, true, {-1, 1}},
                 {"n", datatype::fp32, {1}, {}, false, true, {}}};
  spec.outputs = {{"y", datatype::fp32, {-1}, {}, false, true, {1, -1}},
                  {"m", datatype::fp32, {1}, {}, false, true, {}}};
  auto program = file.loaded(spec);
  const auto outputs = program.run(
    {floats("x", {2, 3}, {1, 2, 3, 4, 5, 6}), floats("n", {2, 1}, {1, 10})}, false);
  REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message));
  CHECK(outputs->at(0).shape == std::vector<std::int64_t>{2, 3});
  CHECK(tests::elements_of<float>(outputs->at(0)) == std::vector<float>{1, 2, 3, 40, 50, 60});
  CHECK(outputs->at(1).shape == std::vector<std::int64_t>{2, 1});
  CHECK(models::verify_model_file(file.path(), spec).has_value());
  spec.outputs[0] = {"y", datatype::fp32, {-1, 2}, {}, false, true, {2, -1}};
  CHECK(contains(file.refusal(spec), "output y: the shape [1, 2, -1] is declared"));
}

TEST_CASE("an optional input that is left out is forward's default, wherever it stands") {
  const script file{"def forward(self, x, mask: Optional[Tensor] = None, "
                    "add: Optional[Tensor] = None):\n"
                    "    if mask is not None:\n        x = x * mask\n"
                    "    if add is not None:\n        x = x + add\n    return x\n"};
  auto spec = tests::simple_spec(1, 1, 8);
  const auto run_with = [&](const models::tensor_list& inputs) {
    const auto outputs = file.loaded(spec).run(inputs, false);
    REQUIRE_MESSAGE(outputs.has_value(), (outputs ? "" : outputs.error().message));
    return tests::elements_of<float>(outputs->front()).front();
  };
  const auto x = floats("x", {1, 1}, {3});
  const auto five = [](const std::string& name) { return floats(name, {1, 1}, {5}); };
  // By the names of forward's arguments, whatever their order here.
  spec.inputs = {{"add", datatype::fp32, {1}, {}, true},
                 {"x", datatype::fp32, {1}, {}},
                 {"mask", datatype::fp32, {1}, {}, true}};
  CHECK(run_with({x}) == 3);
  CHECK(run_with({x, five("mask")}) == 15);
  CHECK(run_with({five("add"), x}) == 8);
  CHECK(run_with({x, five("mask"), five("add")}) == 20);
  spec.inputs.pop_back();
  CHECK(run_with({five("add"), x}) == 8);
  CHECK(run_with({x}) == 3);
  // By place, where the names say nothing.
  spec.inputs = {{"first", datatype::fp32, {1}, {}}, {"second", datatype::fp32, {1}, {}, true}};
  CHECK(run_with({floats("first", {1, 1}, {3})}) == 3);
  CHECK(run_with({floats("first", {1, 1}, {3}), five("second")}) == 15);
  auto program = file.loaded(spec);
  CHECK(contains(program.run({five("second")}, false).error().details.front(),
                 "\"first\" is missing"));
}

TEST_CASE("an optional input without a default in forward is refused by name at the load") {
  const script file{"def forward(self, x, mask):\n    return x * mask\n"};
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs.push_back({"mask", datatype::fp32, {1}, {}, true});
  CHECK(contains(file.refusal(spec), "the input mask is optional, but forward has no default"));
  spec.inputs.back().is_optional = false;
  CHECK(file.load(spec).has_value());
}
