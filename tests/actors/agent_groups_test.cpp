// Requests that come to AGENT in one message.
#include "tests/actors/agent_fixture.hpp"
#include "tests/actors/group_support.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

/// On the way to a process they are joined.
std::int64_t rows_of(const actors::run_batch& batch) {
  REQUIRE(batch.requests.size() == 1);
  return batch.requests[0].at(0).shape.at(0);
}

}  // namespace

TEST_CASE("requests of one message run in one batch, and are answered in one message") {
  agent_fixture f;
  f.start();
  auto told = ask_for_group(f, f.agent, group_of(5));
  REQUIRE(f.script->batches.size() == 1);
  CHECK(rows_of(f.script->batches[0].content) == 5);
  f.finish_batch();
  CHECK(told->has_reply);
  REQUIRE(told->messages.size() == 1);
  REQUIRE(told->messages[0].answers.size() == 5);
  for (std::uint64_t number = 1; number <= 5; ++number)
    CHECK(told->code_of(number) == error_code::none);
}

TEST_CASE("requests of one message that need two batches are answered as these end") {
  agent_fixture f;
  f.start();
  auto told = ask_for_group(f, f.agent, group_of(12));
  REQUIRE_FALSE(f.script->batches.empty());
  CHECK(rows_of(f.script->batches[0].content) == 8);
  f.finish_batch();
  CHECK_FALSE(told->has_reply);
  REQUIRE(told->messages.size() == 1);
  CHECK(told->messages[0].answers.size() == 8);
  f.finish_batch();
  CHECK(told->has_reply);
  REQUIRE(told->messages.size() == 2);
  CHECK(told->messages[1].answers.size() == 4);
}

TEST_CASE("of one message's requests those that can not run are refused at once") {
  agent_fixture f;
  f.start();
  auto group = group_of(3);
  group.requests[1].request.time_left_ms = 0;
  auto told = ask_for_group(f, f.agent, group);
  CHECK(told->count() == 1);
  CHECK(told->code_of(2) == error_code::expired);
  f.finish_batch();
  CHECK(told->has_reply);
  CHECK(told->code_of(1) == error_code::none);
  CHECK(told->code_of(3) == error_code::none);
}

TEST_CASE("a withdrawn request and a late one are answered ahead of those they came with") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  f.start();
  auto group = group_of(4);
  group.requests[3].request.time_left_ms = 500;
  auto told = ask_for_group(f, f.agent, group);
  f.send(f.agent, actors::withdraw_infer{"r3"});
  CHECK(told->code_of(3) == error_code::cancelled);
  f.advance(1'000);
  CHECK(told->code_of(4) == error_code::expired);
  CHECK_FALSE(told->has_reply);
  f.finish_batch();
  f.finish_batch();
  CHECK(told->has_reply);
  CHECK(told->count() == 4);
}

TEST_CASE("an agent that ends answers all requests of a message, whatever has been answered") {
  agent_fixture f;
  f.arguments.spec.max_batch_size = 1;
  f.start();
  auto told = ask_for_group(f, f.agent, group_of(3));
  f.finish_batch();
  CHECK(told->count() == 1);
  f.kill(f.agent);
  CHECK_FALSE(told->error);
  CHECK(told->has_reply);
  CHECK(told->code_of(1) == error_code::none);
  CHECK(told->code_of(2) == error_code::agent_lost);
  CHECK(told->code_of(3) == error_code::agent_lost);
}

TEST_CASE("large answers do not wait for each other, nor travel together") {
  agent_fixture f;
  f.arguments.spec.inputs[0].dims = f.arguments.spec.outputs[0].dims = {40'000};
  f.start();
  auto group = group_of(3);
  for (auto& each : group.requests)
    each.request.inputs = {models::make_tensor("x", models::datatype::fp32, {1, 40'000},
                                               std::vector<char>(160'000))};
  auto told = ask_for_group(f, f.agent, group);
  f.finish_batch();
  CHECK(told->has_reply);
  REQUIRE(told->messages.size() == 3);
  CHECK(told->count() == 3);
}

TEST_CASE("a message without requests is answered, with nothing") {
  agent_fixture f;
  f.start();
  auto told = ask_for_group(f, f.agent, infer_group{});
  CHECK(told->has_reply);
  CHECK(told->count() == 0);
}

TEST_CASE("of a batch that ran, the first who still wants its answer counts it") {
  agent_fixture f;
  f.start();
  auto told = ask_for_group(f, f.agent, group_of(3));
  f.send(f.agent, actors::withdraw_infer{"r1"});
  f.finish_batch();
  CHECK(told->has_reply);
  CHECK(told->code_of(1) == error_code::cancelled);
  CHECK_FALSE(told->answer(1).first_of_batch);
  CHECK(told->answer(2).first_of_batch);
  CHECK_FALSE(told->answer(3).first_of_batch);
}
