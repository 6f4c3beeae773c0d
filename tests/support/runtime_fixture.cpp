#include "tests/support/runtime_fixture.hpp"

#include <chrono>

#include <doctest/doctest.h>

namespace dim::tests {

using std::chrono::duration_cast;
using std::chrono::milliseconds;

runtime_fixture::runtime_fixture(std::uint64_t seed, const configure_function& configure)
  : config_(std::make_unique<runtime::system_config>()) {
  config_->enable_simulation(seed);
  if (configure)
    configure(*config_);
  system_ = std::make_unique<caf::actor_system>(*config_);
  system_->await_actors_before_shutdown(false);
  start_ = scheduler().clock().now();
}

runtime_fixture::~runtime_fixture() {
  kill_all();
}

caf::scheduler::test_coordinator& runtime_fixture::scheduler() const {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
}

std::size_t runtime_fixture::run(std::size_t messages_max) {
  std::size_t handled = 0;
  while (scheduler().try_run_once())
    if (++handled > messages_max)
      FAIL("actors never become idle: more than " << messages_max << " messages");
  return handled;
}

void runtime_fixture::advance(std::int64_t duration_ms) {
  advance_until(now_ms() + duration_ms, [] { return false; });
}

void runtime_fixture::sleep_through(std::int64_t duration_ms) {
  scheduler().clock().current_time += std::chrono::milliseconds{duration_ms};
}

void runtime_fixture::advance_until(std::int64_t until_ms, const std::function<bool()>& done) {
  auto& clock = scheduler().clock();
  auto end = start_ + milliseconds{until_ms};
  run();
  while (!done()) {
    auto& schedule = clock.schedule();
    if (schedule.empty() || schedule.begin()->first > end)
      break;
    // One due time after the other: a jump would fire a repeating timer only once.
    clock.current_time = std::max(clock.current_time, schedule.begin()->first);
    clock.advance_time(caf::timespan{0});
    run();
  }
  if (!done())
    clock.current_time = std::max(clock.current_time, end);
}

std::int64_t runtime_fixture::now_ms() const {
  return duration_cast<milliseconds>(scheduler().clock().now() - start_).count();
}

std::size_t runtime_fixture::timers() const {
  return scheduler().clock().schedule().size();
}

caf::actor runtime_fixture::probe(const std::shared_ptr<inbox>& box) {
  using self_pointer = runtime::actor_self<caf::actor, fake_state>;
  return sys().spawn([box](self_pointer self) -> caf::behavior {
    self->set_default_handler(
      [box](caf::scheduled_actor*, caf::message_view& view) -> caf::result<caf::message> {
        box->put(view.copy_content_to_message());
        return caf::make_message();
      });
    return {[](caf::unit_t) {}};
  });
}

std::size_t runtime_fixture::count_actors(const std::string& name) {
  std::size_t count = 0;
  for (auto& line : context().actors.lines())
    count += line.name == name ? 1 : 0;
  return count;
}

void runtime_fixture::post(const caf::strong_actor_ptr& from, const caf::strong_actor_ptr& to,
                           caf::message content) {
  if (to)
    to->enqueue(from, caf::make_message_id(), std::move(content), nullptr);
}

void runtime_fixture::kill_all() {
  auto& clock = scheduler().clock();
  context().faults = nullptr;
  for (auto& address : askers_)
    if (auto asker = caf::actor_cast<caf::actor>(address))
      caf::anon_send_exit(asker, caf::exit_reason::kill);
  // A dying actor may start others (a supervisor restarts): go on until none is left.
  for (int round = 0; round < 100; ++round) {
    auto living = context().actors.handles();
    for (auto& handle : living)
      caf::anon_send_exit(handle, caf::exit_reason::kill);
    clock.cancel_all();
    while (scheduler().try_run_once()) {
    }
    if (living.empty())
      break;
  }
}

}  // namespace dim::tests
