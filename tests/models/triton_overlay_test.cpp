#include "models/triton_config.hpp"

#include <doctest/doctest.h>

#include "models/model_spec_check.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using namespace dim::models;
using runtime::error_code;

namespace {

/// A model with a value in each field that a configuration may lay over.
model_spec full_spec() {
  auto spec = tests::simple_spec(4, 4, 64);
  spec.batch_delay_max_us = 250;
  spec.batching.default_queue = {timeout_action::delay, 9'000, true, 5};
  spec.instances = {{2, instance_kind::cpu, {}}};
  spec.served = {version_choice::all, 1, {}};
  spec.warm_up = {{"first", 1, 3, warm_up_data::random, {{"x", {4}}}}};
  spec.response_cache = true;
  spec.parameters = {{"colour", "blue"}};
  spec.file_name = "net.pt";
  REQUIRE(check_model_spec(spec).empty());
  return spec;
}

model_spec laid_over(const std::string& json, const model_spec& base) {
  const auto read = parse_triton_json(json, base);
  REQUIRE_MESSAGE(read, json << ": " << (read ? "" : read.error().message));
  return *read;
}

}  // namespace

TEST_CASE("a zero, a false and an empty list take the place of what was there") {
  const auto base = full_spec();
  auto wanted = base;
  wanted.max_batch_size = 0;
  CHECK(laid_over(R"({"max_batch_size": 0})", base) == wanted);
  CHECK(laid_over(R"({"maxBatchSize": "0"})", base) == wanted);
  wanted = base;
  wanted.response_cache = false;
  CHECK(laid_over(R"({"response_cache": {"enable": false}})", base) == wanted);
  wanted = base;
  wanted.instances.clear();
  wanted.warm_up.clear();
  wanted.parameters.clear();
  CHECK(laid_over(R"({"instance_group": [], "model_warmup": [], "parameters": {}})", base)
        == wanted);
  CHECK(laid_over(R"({"instanceGroup": [], "modelWarmup": [], "parameters": {}})", base) == wanted);
  wanted = base;
  wanted.batching = {};
  wanted.batch_delay_max_us = 0;
  CHECK(laid_over(R"({"dynamic_batching": {"max_queue_delay_microseconds": 0}})", base) == wanted);
  const auto none = parse_triton_json(R"({"input": []})", base);
  REQUIRE_FALSE(none);
  CHECK(none.error().message == "inputs: at least one is needed");
}

TEST_CASE("what is absent or null stays, and so does what runs the model when that is empty") {
  const auto base = full_spec();
  for (const std::string json :
       {R"({})", R"({"max_batch_size": null, "parameters": null, "instance_group": null})",
        R"({"platform": "", "backend": "", "name": "", "default_model_filename": ""})"})
    CHECK(laid_over(json, base) == base);
  auto identity = base;
  identity.kind = model_kind::identity;
  identity.file_name = model_spec{}.file_name;
  CHECK(laid_over(R"({"platform": "", "backend": "identity"})", base).kind == model_kind::identity);
  CHECK(laid_over(R"({"platform": "", "default_model_filename": ""})", identity) == identity);
}

TEST_CASE("a model without a batch dimension keeps its queues under a configuration") {
  auto base = full_spec();
  base.max_batch_size = 0;
  base.batching.priority_levels = 2;
  base.batching.default_priority = 1;
  base.batching.queue_by_priority[2].queue_max = 1;
  auto wanted = base;
  wanted.parameters = {{"colour", "red"}};
  CHECK(laid_over(R"({"parameters": {"colour": {"string_value": "red"}}})", base) == wanted);
  CHECK(laid_over(to_triton_json(base), model_spec{base}) == base);
}

TEST_CASE("zeros and empty lists outlive the labels that are put into a configuration") {
  auto base = full_spec();
  const auto put = put_labels(
    R"({"max_batch_size": 0, "parameters": {}, "model_warmup": [], "output": [
        {"name": "y", "data_type": "TYPE_FP32", "dims": [4], "label_filename": "pets.txt"}]})",
    [](const std::string&, const std::string&) -> runtime::expected<std::vector<std::string>> {
      return std::vector<std::string>{"cat", "dog", "cow", "pig"};
    });
  REQUIRE(put);
  auto wanted = base;
  wanted.max_batch_size = 0;
  wanted.parameters.clear();
  wanted.warm_up.clear();
  wanted.outputs.front().labels = {"cat", "dog", "cow", "pig"};
  CHECK(laid_over(*put, base) == wanted);
}
