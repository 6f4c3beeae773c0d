#include "gateway/pending_calls.hpp"

#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

using namespace dim;
using gateway::pending_calls;
using runtime::error_code;

namespace {

using namespace std::chrono_literals;
using outcome = runtime::expected<int>;
using reply_call = gateway::pending_reply<int>;

const auto begin = std::chrono::steady_clock::now();
const auto later = begin + 1h;

const runtime::failure going{error_code::unavailable, "the table ends", {}};

std::shared_ptr<reply_call> call_into(std::vector<outcome>& outcomes) {
  return std::make_shared<reply_call>([&](outcome x) { outcomes.push_back(std::move(x)); });
}

void answer(pending_calls& table, std::uint64_t number, int value) {
  table.finish(number,
               [&](gateway::pending_call& call) { static_cast<reply_call&>(call).succeed(value); });
}

}  // namespace

TEST_CASE("a call ends once, by its answer or its failure, whichever comes first") {
  pending_calls table{10};
  std::vector<outcome> outcomes;
  auto answered = table.add(call_into(outcomes), later);
  auto failed = table.add(call_into(outcomes), later);
  REQUIRE(answered);
  REQUIRE(failed);
  CHECK(table.size() == 2);
  answer(table, *answered, 7);
  table.fail(*answered, {error_code::timeout, "late", {}});
  table.fail(*failed, {error_code::timeout, "no reply", {}});
  answer(table, *failed, 8);
  REQUIRE(outcomes.size() == 2);
  CHECK(*outcomes[0] == 7);
  CHECK(outcomes[1].error().code == error_code::timeout);
  CHECK(table.size() == 0);
}

TEST_CASE("calls that were due fail as timeout, the others wait on") {
  pending_calls table{10};
  std::vector<outcome> outcomes;
  auto soon = table.add(call_into(outcomes), begin + 1s);
  auto last = table.add(call_into(outcomes), begin + 9s);
  auto next = table.add(call_into(outcomes), begin + 2s);
  CHECK(table.expire(begin + 999ms).empty());
  CHECK(table.expire(begin + 2s) == std::vector{*soon, *next});
  REQUIRE(outcomes.size() == 2);
  for (auto& each : outcomes)
    CHECK(each.error().code == error_code::timeout);
  answer(table, *soon, 1);
  CHECK(table.expire(begin + 8s).empty());
  CHECK(table.expire(begin + 9s) == std::vector{*last});
  CHECK(table.size() == 0);
  CHECK(table.add(call_into(outcomes), begin + 20s));
  CHECK(table.expire(begin + 20s).size() == 1);
}

TEST_CASE("a full table refuses, and takes the next call when one has ended") {
  pending_calls table{2};
  std::vector<outcome> outcomes;
  auto first = table.add(call_into(outcomes), later);
  REQUIRE(table.add(call_into(outcomes), later));
  CHECK(table.add(call_into(outcomes), later).error().code == error_code::overloaded);
  answer(table, *first, 1);
  CHECK(table.add(call_into(outcomes), later));
}

TEST_CASE("a closed table has failed every call and refuses later ones for the same reason") {
  pending_calls table{10};
  std::vector<outcome> outcomes;
  REQUIRE(table.add(call_into(outcomes), later));
  REQUIRE(table.add(call_into(outcomes), later));
  table.close(going);
  REQUIRE(outcomes.size() == 2);
  for (auto& each : outcomes)
    CHECK(each.error().message == going.message);
  auto refused = table.add(call_into(outcomes), later);
  CHECK(refused.error().code == error_code::unavailable);
  CHECK(outcomes.size() == 2);
}

TEST_CASE("closing waits for a callback that runs on another thread") {
  pending_calls table{10};
  std::promise<void> entered;
  std::promise<void> released;
  std::atomic<bool> has_ended{false};
  auto number = table.add(std::make_shared<reply_call>([&](outcome) {
    entered.set_value();
    released.get_future().wait_for(20s);
    has_ended = true;
  }), later);
  REQUIRE(number);
  std::thread answering{[&] { answer(table, *number, 1); }};
  REQUIRE(entered.get_future().wait_for(20s) == std::future_status::ready);
  bool had_ended_at_close = false;
  std::thread closing{[&] {
    table.close(going);
    had_ended_at_close = has_ended;
  }};
  released.set_value();
  answering.join();
  closing.join();
  CHECK(had_ended_at_close);
}

TEST_CASE("whatever threads add, answer, fail, expire and close, each call taken ends once") {
  constexpr int callers_max = 4;
  constexpr int rounds = 2'000;
  for (auto is_closed_early : {false, true}) {
    CAPTURE(is_closed_early);
    pending_calls table{100'000};
    std::vector<std::atomic<int>> ends(callers_max * rounds);
    std::atomic<int> taken{0};
    std::atomic<int> last_rounds{0};
    std::vector<std::thread> callers;
    for (int caller = 0; caller < callers_max; ++caller)
      callers.emplace_back([&, caller] {
        for (int round = 0; round < rounds; ++round) {
          auto& end = ends[static_cast<std::size_t>(caller * rounds + round)];
          auto number = table.add(std::make_shared<reply_call>([&end](outcome) { ++end; }),
                                  begin + std::chrono::milliseconds{round % 20});
          if (!number)
            continue;
          ++taken;
          // The one before may have been answered by the thread that shares its number.
          answer(table, *number - (round % 3 == 0 ? 1 : 0), round);
          if (round % 2 == 0)
            table.fail(*number, going);
        }
        ++last_rounds;
      });
    if (is_closed_early)
      table.close(going);
    while (last_rounds < callers_max) {
      table.fail_all(going);
      table.expire(std::chrono::steady_clock::now());
      std::this_thread::yield();
    }
    for (auto& each : callers)
      each.join();
    table.close(going);
    int ended = 0;
    for (auto& each : ends) {
      CHECK(each <= 1);
      ended += each;
    }
    CHECK(ended == taken);
    CHECK(table.size() == 0);
  }
}
