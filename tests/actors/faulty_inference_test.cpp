#include "actors/faults/faulty_inference.hpp"

#include <cstring>

#include <doctest/doctest.h>

#include "tests/support/actor_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

models::tensor one_number(float value) {
  std::vector<char> data(sizeof value);
  std::memcpy(data.data(), &value, sizeof value);
  return models::make_tensor("y", models::datatype::fp32, {1, 1}, std::move(data));
}

float number_in(const batch_result& result) {
  float value = 0;
  std::memcpy(&value, result.outputs.at(0).at(0).data.data(), sizeof value);
  return value;
}

/// FAULTY INFERENCE of "node/a", before one that answers 2 and says that it took 100 ms.
struct decorated_fixture : actor_fixture {
  decorated_fixture() {
    behind = fake<inference_actor>(
      [](const load_model&) {
        return model_loaded{5, 6};
      },
      [](const run_batch& order) {
        return batch_result{order.batch_id, {{one_number(2.0F)}}, 100'000};
      });
    front = caf::actor_cast<inference_actor>(
      sys().spawn(faulty_inference, behind, "digits-mlp:3", board));
    run();
  }

  void put(fault_kind kind, double factor = 1.0) {
    fault_order order;
    order.kind = kind;
    order.target = "agent/digits-mlp@node/*";
    order.factor = factor;
    board->put(order, runtime::clock_ns(sys()) + 10'000'000'000);
  }

  std::shared_ptr<fault_board> board =
    std::make_shared<fault_board>(std::vector<std::string>{"node/a"});
  inference_actor behind;
  inference_actor front;
};

}  // namespace

TEST_CASE("without a fault everything passes as it is") {
  decorated_fixture f;
  CHECK(f.ask<model_loaded>(f.front, load_model{})->memory_bytes == 6);
  const auto result = f.ask<batch_result>(f.front, run_batch{4, {}, false});
  REQUIRE(result);
  CHECK(result->batch_id == 4);
  CHECK(number_in(*result) == 2.0F);
  CHECK(result->forward_us == 100'000);
}

TEST_CASE("a slow forward is answered after as many times its own time") {
  decorated_fixture f;
  f.put(fault_kind::slow, 3.0);
  const auto reply = f.request<batch_result>(f.front, run_batch{});
  f.advance(199);
  CHECK_FALSE(reply->has_value());
  f.advance(1);
  REQUIRE(reply->has_value());
  CHECK((**reply)->forward_us == 300'000);
  CHECK(number_in(***reply) == 2.0F);
}

TEST_CASE("a wrong result has other numbers, with the digest that belongs to them") {
  decorated_fixture f;
  f.put(fault_kind::wrong_result);
  const auto result = f.ask<batch_result>(f.front, run_batch{});
  REQUIRE(result);
  CHECK(number_in(*result) == -3.0F);
  CHECK(result->outputs[0][0].digest == one_number(-3.0F).digest);
  CHECK(result->outputs[0][0].shape == std::vector<std::int64_t>{1, 1});
}

TEST_CASE("a forward without memory fails as on a full device") {
  decorated_fixture f;
  f.put(fault_kind::out_of_memory);
  const auto result = f.ask<batch_result>(f.front, run_batch{});
  REQUIRE_FALSE(result);
  CHECK(result.error().code == runtime::error_code::memory_limit);
}

TEST_CASE("wrong numbers of every datatype have the same size and another content") {
  for (int value = 0; value <= static_cast<int>(last_value(models::datatype{})); ++value) {
    const auto type = static_cast<models::datatype>(value);
    std::vector<char> data(type == models::datatype::bytes ? 6 : models::size_of(type) * 3, 1);
    if (type == models::datatype::bytes)
      data = {2, 0, 0, 0, 'a', 'b'};
    const std::int64_t count = type == models::datatype::bytes ? 1 : 3;
    const auto before = models::make_tensor("t", type, {count}, data);
    const auto after = with_wrong_numbers({before}).front();
    CAPTURE(std::string{models::to_string(type)});
    CHECK(after.data.size() == before.data.size());
    CHECK_FALSE(after.data == before.data);
    CHECK(models::check_size(after).has_value());
  }
}

TEST_CASE("it ends with the INFERENCE behind it") {
  decorated_fixture f;
  f.kill(f.behind);
  CHECK_FALSE(f.is_alive(f.front));
}
