#include <doctest/doctest.h>

#include <functional>

#include "actors/router/inference_check.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using actors::check_inference;
using actors::run_inference;
using models::datatype;

namespace {

models::model_spec simple() {
  models::model_spec spec;
  spec.name = "simple";
  spec.max_batch_size = 8;
  spec.inputs = {{"INPUT0", datatype::int32, {16}, {}}, {"INPUT1", datatype::int32, {16}, {}}};
  spec.outputs = {{"OUTPUT0", datatype::int32, {16}, {}}, {"OUTPUT1", datatype::int32, {16}, {}}};
  return spec;
}

models::tensor input(const std::string& name, std::vector<std::int64_t> shape,
                     datatype type = datatype::int32) {
  std::size_t size = models::size_of(type);
  for (auto dim : shape)
    size *= static_cast<std::size_t>(dim);
  return models::make_tensor(name, type, std::move(shape), std::vector<char>(size));
}

run_inference good(std::int64_t rows = 1) {
  run_inference request;
  request.model = "simple";
  request.inputs = {input("INPUT0", {rows, 16}), input("INPUT1", {rows, 16})};
  return request;
}

std::string words_of(const run_inference& request, const models::model_spec& spec = simple()) {
  auto problem = check_inference(spec, request);
  CHECK((problem.code == runtime::error_code::none) == problem.message.empty());
  if (problem.code != runtime::error_code::none)
    CHECK(problem.code == runtime::error_code::bad_input);
  return problem.message;
}

}  // namespace

TEST_CASE("a request that fits is let through, in any order of its inputs") {
  CHECK(words_of(good()).empty());
  CHECK(words_of(good(8)).empty());
  auto turned = good();
  std::swap(turned.inputs[0], turned.inputs[1]);
  turned.outputs = {"OUTPUT1", "OUTPUT0"};
  CHECK(words_of(turned).empty());
}

TEST_CASE("names that are unknown, missing or given twice are refused in the clients' words") {
  auto request = good();
  request.inputs[1].name = "INPUT2";
  CHECK(words_of(request) == "unexpected inference input 'INPUT2' for model 'simple'");
  request.inputs[1].name = "INPUT0";
  CHECK(words_of(request) == "input 'INPUT0' already exists in request");
  request.inputs.pop_back();
  CHECK(words_of(request) ==
        "expected 2 inputs but got 1 inputs for model 'simple'. Got input(s) ['INPUT0'], but "
        "missing required input(s) ['INPUT1']. Please provide all required input(s).");
  auto outputs = good();
  outputs.outputs = {"OUTPUT0", "OUTPUT0"};
  CHECK(words_of(outputs) == "output 'OUTPUT0' already exists in request");
  outputs.outputs = {"OUTPUT7"};
  CHECK(words_of(outputs) == "unexpected inference output 'OUTPUT7' for model 'simple'");
}

TEST_CASE("optional inputs may be left out, but not all inputs, and no others") {
  auto spec = simple();
  spec.inputs[1].is_optional = true;
  auto request = good();
  request.inputs.pop_back();
  CHECK(words_of(request, spec).empty());
  CHECK(words_of(good(), spec).empty());
  request = good();
  request.inputs.erase(request.inputs.begin());
  CHECK(words_of(request, spec) ==
        "expected number of inputs between 1 and 2 but got 1 inputs for model 'simple'. Got "
        "input(s) ['INPUT1'], but missing required input(s) ['INPUT0']. Please provide all "
        "required input(s).");
  spec.inputs[0].is_optional = true;
  CHECK(words_of(request, spec).empty());
  request.inputs.clear();
  CHECK(words_of(request, spec).starts_with("expected number of inputs between 1 and 2 but got 0"));
}

TEST_CASE("an output that repeats an input can not be asked for without the input") {
  auto spec = simple();
  spec.kind = models::model_kind::identity;
  spec.inputs[1].is_optional = true;
  auto request = good();
  request.outputs = {"OUTPUT1", "OUTPUT0"};
  CHECK(words_of(request, spec).empty());
  request.inputs.pop_back();
  CHECK(words_of(request, spec)
        == "output 'OUTPUT1' of model 'simple' needs the input 'INPUT1', which is left out");
  request.outputs = {"OUTPUT0"};
  CHECK(words_of(request, spec).empty());
  request.outputs.clear();
  CHECK(words_of(request, spec).empty());
}

TEST_CASE("types and shapes that the model does not take are refused in the clients' words") {
  auto request = good();
  request.inputs[0] = input("INPUT0", {1, 16}, datatype::fp32);
  CHECK(words_of(request) ==
        "inference input 'INPUT0' data-type is 'FP32', but model 'simple' expects 'INT32'");
  request.inputs[0] = input("INPUT0", {1, 15});
  auto words = words_of(request);
  CHECK(words.find("unexpected shape for input 'INPUT0' for model 'simple'. Expected [-1,16], got "
                   "[1,15]") == 0);
  request.inputs[0] = input("INPUT0", {});
  CHECK(words_of(request).find("requires batch dimension") != std::string::npos);
  request.inputs[0] = input("INPUT0", {1, 16});
  request.inputs[0].data = runtime::bytes{std::vector<char>(60)};
  CHECK(words_of(request).find("unexpected size for input 'INPUT0'") == 0);
}

TEST_CASE("rows are counted against the model's batch") {
  CHECK(words_of(good(9)) == "inference request batch-size must be <= 8 for 'simple'");
  auto request = good(2);
  request.inputs[1] = input("INPUT1", {3, 16});
  CHECK(words_of(request) == "input 'INPUT1' batch size does not match other inputs for 'simple'");
  CHECK(words_of(good(0)) == "inference request batch-size must be >= 1 for 'simple'");
}

TEST_CASE("a model without a batch dimension takes its dims as they are, and -1 is any size") {
  auto spec = simple();
  spec.max_batch_size = 0;
  spec.inputs = {{"INPUT0", datatype::int32, {-1, 4}, {}}};
  run_inference request;
  request.inputs = {input("INPUT0", {7, 4})};
  CHECK(words_of(request, spec).empty());
  request.inputs = {input("INPUT0", {7, 5})};
  CHECK(words_of(request, spec) ==
        "unexpected shape for input 'INPUT0' for model 'simple'. Expected [-1,4], got [7,5].");
}
