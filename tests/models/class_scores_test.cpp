#include "models/class_scores.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/models/tensors.hpp"

using namespace dim;
using runtime::error_code;
using tests::floats;

namespace {

models::model_spec labelled() {
  auto spec = tests::simple_spec(1, 3, 4);
  spec.outputs.front().labels = {"cat", "dog", "cow"};
  return spec;
}

}  // namespace

TEST_CASE("the label of the best class is told, row by row") {
  const models::tensor_list outputs{floats("y", {2, 3}, {0.1F, 0.7F, 0.2F, 0.5F, 0.3F, 0.2F})};
  CHECK(models::labels_of(outputs, labelled()).value() == std::vector<std::string>{"dog", "cat"});
  CHECK(models::label_of(outputs, labelled()).value() == "dog,cat");
  CHECK(models::label_of(outputs, {}).value() == "1,0");
}

TEST_CASE("the output that was declared with labels is taken before any other") {
  auto spec = labelled();
  spec.outputs.insert(spec.outputs.begin(), {"z", models::datatype::fp32, {3}, {}});
  const models::tensor_list outputs{floats("z", {1, 3}, {1, 0, 0}), floats("y", {1, 3}, {0, 0, 1})};
  CHECK(models::class_scores_of(outputs, spec).value() == 1);
  CHECK(models::label_of(outputs, spec).value() == "cow");
  CHECK(models::class_scores_of(outputs, {}).value() == 0);
}

TEST_CASE("of equal scores the first wins, and NaN never does") {
  const auto best = [](const std::vector<double>& scores) {
    return models::best_class_of(scores, 0, scores.size());
  };
  CHECK(best({1, 3, 3}).index == 1);
  CHECK(best({1, 3, 3}).margin == 0);
  CHECK(best({1, 4, 3}).margin == 1);
  CHECK(best({5, 4, 3}).margin == 1);
  CHECK(best({NAN, -5, NAN}).index == 1);
  CHECK(best({NAN, -5, NAN}).margin == INFINITY);
  CHECK(best({NAN, NAN}).margin == 0);
  CHECK(best({INFINITY, 1, INFINITY}).margin == 0);
  CHECK(best({7}).index == 0);
}

TEST_CASE("whole numbers are labels themselves") {
  CHECK(models::label_of({tests::integers("n", {2}, {7, -1})}, {}).value() == "7,-1");
  CHECK(models::label_of({floats("y", {1, 1}, {1}), tests::integers("n", {1}, {7})}, {}).value()
        == "7");
}

TEST_CASE("an answer without anything to read a label from is refused") {
  CHECK(models::label_of({floats("y", {1, 1}, {1})}, {}).error().code == error_code::bad_model);
  CHECK(models::label_of({tests::texts("t", {1}, {"a"})}, {}).error().code
        == error_code::bad_model);
  CHECK(models::label_of({}, {}).error().code == error_code::bad_model);
  auto spec = labelled();
  spec.outputs.front().labels = {"cat", "dog"};
  CHECK(models::label_of({floats("y", {1, 3}, {0, 0, 1})}, spec).error().code
        == error_code::bad_model);
  CHECK(models::label_of({models::detached(floats("y", {1, 3}, {0, 0, 1}))}, {}).error().code
        == error_code::bad_input);
}
