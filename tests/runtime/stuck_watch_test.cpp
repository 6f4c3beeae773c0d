#include "runtime/stuck_watch.hpp"

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>

#include <doctest/doctest.h>

#include "runtime/directory.hpp"
#include "runtime/metrics.hpp"
#include "runtime/process_metrics.hpp"
#include "tests/runtime/runtime_types.hpp"
#include "tests/support/held_actor.hpp"
#include "tests/support/log_file.hpp"

using namespace dim;
using namespace dim::tests;
using namespace std::chrono_literals;

namespace {

struct patient_state {
  static inline const char* name = "PATIENT";
  static constexpr bool works_long = true;
};

/// Does its work behind the messages that have come together.
struct gathering_state {
  static inline const char* name = "GATHERING";
  void after_others() {
    work();
  }

  std::function<void()> work;
};

struct real_config : runtime::system_config {
  explicit real_config(std::chrono::milliseconds limit, std::size_t threads) {
    add_message_types<caf::id_block::dim_runtime_tests>();
    set("scheduler.max-threads", threads);
    context->stuck_limit = limit;
  }
};

/// What a watch has told, for a test that waits for it.
class told_changes {
public:
  void put(const runtime::stuck_changes& news) {
    std::lock_guard guard{mutex_};
    begun_.insert(begun_.end(), news.begun.begin(), news.begun.end());
    ended_.insert(ended_.end(), news.ended.begin(), news.ended.end());
    changed_.notify_all();
  }

  std::vector<runtime::working_actor> wait_begun(std::size_t count) {
    std::unique_lock guard{mutex_};
    REQUIRE(changed_.wait_for(guard, 20s, [&] { return begun_.size() >= count; }));
    return begun_;
  }
  std::vector<runtime::working_actor> wait_ended(std::size_t count) {
    std::unique_lock guard{mutex_};
    REQUIRE(changed_.wait_for(guard, 20s, [&] { return ended_.size() >= count; }));
    return ended_;
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<runtime::working_actor> begun_;
  std::vector<runtime::working_actor> ended_;
};

}  // namespace

TEST_CASE("an actor that handles one message for too long is stuck until it has handled it") {
  sum_fixture f;
  f.context().stuck_limit = 10s;
  std::vector<std::vector<runtime::stuck_actor>> seen;
  auto slow = f.fake<caf::actor>([&](const add_number&) {
    for (auto ms : {9'999, 1, 5'000}) {
      f.sleep_through(ms);
      seen.push_back(runtime::stuck_now(f.sys()));
    }
  });
  caf::anon_send(slow, add_number{1});
  caf::anon_send(slow, get_sum{});
  f.run();
  REQUIRE(seen.size() == 3);
  CHECK(seen[0].empty());
  CHECK(seen[1]
        == std::vector<runtime::stuck_actor>{{"FAKE", "add_number", 10'000, 1}});
  CHECK(runtime::to_text(seen[2].at(0))
        == "FAKE has handled add_number for 15 s, 1 messages wait");
  CHECK(runtime::stuck_now(f.sys()).empty());
}

TEST_CASE("an actor that is made for long work is not stuck, nor is any without a limit") {
  sum_fixture f;
  std::size_t seen = 0;
  auto look = [&](const add_number&) {
    f.sleep_through(3'600'000);
    seen += runtime::stuck_now(f.sys()).size();
  };
  auto ordinary = f.fake<caf::actor>(look);
  using patient_self = runtime::actor_self<caf::actor, patient_state>;
  auto patient = f.sys().spawn([look](patient_self) -> caf::behavior { return {look}; });
  f.send(ordinary, add_number{1});
  f.context().stuck_limit = 1s;
  f.send(patient, add_number{1});
  CHECK(seen == 0);
  f.send(ordinary, add_number{1});
  CHECK(seen == 1);
}

TEST_CASE("an actor that takes too long for the work that its messages have gathered is stuck") {
  sum_fixture f;
  f.context().stuck_limit = 10s;
  std::vector<runtime::stuck_actor> seen;
  using gathering_self = runtime::actor_self<caf::actor, gathering_state>;
  auto gathering = f.sys().spawn([&](gathering_self self) -> caf::behavior {
    self->state.work = [&] {
      f.sleep_through(10'000);
      seen = runtime::stuck_now(f.sys());
    };
    return {[self](const add_number&) { self->finish_behind_others(); }};
  });
  f.send(gathering, add_number{1});
  REQUIRE(seen.size() == 1);
  CHECK(seen[0].name == "GATHERING");
  CHECK(seen[0].busy_ms == 10'000);
  CHECK(runtime::stuck_now(f.sys()).empty());
}

TEST_CASE("the metrics count stuck actors by name") {
  sum_fixture f;
  f.context().stuck_limit = 1s;
  auto shown = runtime::show_process("here", f.sys());
  std::string during;
  auto slow = f.fake<caf::actor>([&](const add_number&) {
    f.sleep_through(1'000);
    during = runtime::metrics_text();
  });
  f.send(slow, add_number{1});
  CHECK(during.find("dim_actors_stuck{process=\"here\",actor=\"FAKE\"} 1\n") != during.npos);
  auto after = runtime::metrics_text();
  CHECK(after.find("dim_actors_stuck{process=\"here\",actor=\"FAKE\"} 0\n") != after.npos);
}

TEST_CASE("the directory tells other processes who is stuck in this one") {
  real_config config{200ms, 2};
  caf::actor_system system{config};
  held_actor held{system};
  auto directory = system.spawn(runtime::directory);
  told_changes told;
  runtime::stuck_watch watch{system, [&](auto&, auto& news) { told.put(news); }};
  held.hold();
  told.wait_begun(1);
  caf::scoped_actor self{system};
  std::vector<runtime::stuck_actor> answer;
  self->request(directory, 20s, runtime::find_stuck_actors{})
    .receive([&](const runtime::stuck_actor_list& found) { answer = found.actors; },
             [](const caf::error&) {});
  REQUIRE(answer.size() == 1);
  CHECK(answer[0].name == "HELD");
  CHECK(answer[0].busy_ms >= 200);
  caf::anon_send_exit(directory, caf::exit_reason::user_shutdown);
}

TEST_CASE("a watch tells of a hang and of its end, also when no thread is left for other actors") {
  log_file log;
  {
    real_config config{200ms, 1};
    caf::actor_system system{config};
    held_actor held{system};
    told_changes told;
    runtime::stuck_watch watch{system, [&](auto& of, auto& news) {
                                 runtime::log_stuck(of, news);
                                 told.put(news);
                               }};
    held.hold();
    auto begun = told.wait_begun(1);
    CHECK(begun.at(0).name == "HELD");
    CHECK(runtime::stuck_now(system).size() == 1);
    held.release();
    CHECK(told.wait_ended(1) == begun);
    CHECK(runtime::stuck_now(system).empty());
    held.hold();
    CHECK(told.wait_begun(2).size() == 2);
  }
  auto text = log.text();
  CAPTURE(text);
  CHECK(text.find(R"("level":"error")") != text.npos);
  CHECK(text.find(R"("actor":"HELD","message":"is stuck in a message")") != text.npos);
  CHECK(text.find(R"("message":"is not stuck any more")") != text.npos);
  CHECK(text.find(R"("message_type":)") != text.npos);
}
