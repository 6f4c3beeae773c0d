#include "tests/simulation/basp_process.hpp"

#include <algorithm>

#include <caf/io/all.hpp>

#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"

namespace dim::simulation {

basp_process::basp_process(const process_settings& settings) : name_(settings.name) {
  actors::add_message_types(config_);
  config_.enable_links(settings.heartbeat_ms, settings.lost_ms);
  config_.enable_simulation(settings.seed);
  config_.context->wall_base_ms = settings.wall_base_ms;
  config_.set("middleman.network-backend", caf::atom("testing"));
  config_.set("middleman.manual-multiplexing", true);
  config_.set("middleman.attach-utility-actors", true);
  system_ = std::make_unique<caf::actor_system>(config_);
  system_->await_actors_before_shutdown(false);
  scheduler_ = &dynamic_cast<caf::scheduler::test_coordinator&>(system_->scheduler());
  sockets_ =
    &dynamic_cast<caf::io::network::test_multiplexer&>(system_->middleman().backend());
  scheduler_->clock().current_time = settings.now;
  drain();
}

basp_process::~basp_process() {
  kill_all();
}

basp_process::step basp_process::peek(std::size_t index) const {
  step result;
  auto* actor = dynamic_cast<caf::scheduled_actor*>(scheduler_->jobs.at(index));
  if (actor == nullptr)
    return result;
  result.actor = actor->id();
  result.name = actor->name();
  result.element = actor->peek_at_next_mailbox_element();
  return result;
}

void basp_process::run(std::size_t index) {
  auto& jobs = scheduler_->jobs;
  const auto place = jobs.begin() + static_cast<std::ptrdiff_t>(index);
  std::rotate(jobs.begin(), place, place + 1);
  scheduler_->try_run_once();
}

bool basp_process::run_broker() {
  return sockets_->try_exec_runnable();
}

std::size_t basp_process::drain() {
  std::size_t count = 0;
  while (scheduler_->try_run_once() || sockets_->try_exec_runnable())
    ++count;
  return count;
}

std::optional<time_point> basp_process::next_timer() const {
  const auto& schedule = scheduler_->clock().schedule();
  if (schedule.empty())
    return std::nullopt;
  return schedule.begin()->first;
}

std::size_t basp_process::advance_to(time_point now) {
  scheduler_->clock().current_time = now;
  return scheduler_->clock().advance_time(caf::timespan{0});
}

std::size_t basp_process::timers() const {
  return scheduler_->clock().schedule().size();
}

void basp_process::kill_all() {
  auto& actors = context().actors;
  context().faults = nullptr;
  // A dying actor may start others (a supervisor restarts): go on until none is left.
  for (int round = 0; round < 100; ++round) {
    const auto living = actors.handles();
    for (const auto& handle : living)
      caf::anon_send_exit(handle, caf::exit_reason::kill);
    scheduler_->clock().cancel_all();
    drain();
    if (living.empty())
      break;
  }
  scheduler_->clock().cancel_all();
}

}  // namespace dim::simulation
