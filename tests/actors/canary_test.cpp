#include "actors/cluster/canary.hpp"

#include <doctest/doctest.h>

#include "actors/cluster/quarantine.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

model_entry entry_of(std::int64_t max_batch_size) {
  model_entry result{"mixed", "3", std::string(64, 'a'), 10, 0, {}};
  result.spec.name = "mixed";
  result.spec.max_batch_size = max_batch_size;
  result.spec.inputs = {{"x", models::datatype::fp32, {2, -1}, {}},
                        {"words", models::datatype::bytes, {3}, {}},
                        {"flag", models::datatype::boolean, {}, {}}};
  return result;
}

}  // namespace

TEST_CASE("zeros fit whatever a model declares: one row, free sizes of 1, empty texts") {
  for (std::int64_t batch : {0, 8}) {
    auto model = entry_of(batch);
    auto inputs = zero_inputs(model.spec);
    CHECK(models::check_inputs(model.spec, inputs).empty());
    for (auto& input : inputs) {
      CHECK(models::check_size(input).has_value());
      CHECK_FALSE(input.digest.empty());
    }
    CHECK(models::row_count(model.spec, inputs) == 1);
  }
  auto inputs = zero_inputs(entry_of(8).spec);
  REQUIRE(inputs.size() == 3);
  CHECK(inputs[0].shape == std::vector<std::int64_t>{1, 2, 1});
  CHECK(inputs[0].data.size() == 8);
  CHECK(inputs[1].data.size() == 12);
  CHECK(inputs[2].shape == std::vector<std::int64_t>{1});
}

TEST_CASE("a probe's order runs alone, before all else, and asks for nothing but a place") {
  auto order = canary_order("probe-1-1", entry_of(8), 900);
  CHECK(is_probe(order.execution_id));
  CHECK(order.model_digest == std::string(64, 'a'));
  CHECK(order.deterministic);
  CHECK(order.required_cpu == 0);
  CHECK(order.required_memory == 0);
  CHECK(order.time_left_ms == 900);
}

TEST_CASE("an answer whose bytes do not have their digest is named") {
  auto outputs = zero_inputs(entry_of(0).spec);
  CHECK(damage_of(outputs).empty());
  outputs[1].data = runtime::bytes{std::vector<char>(12, '\1')};
  CHECK(damage_of(outputs).find("words") != std::string::npos);
}
