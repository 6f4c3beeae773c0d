#include "tests/simulation/simulator.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"

namespace dim::simulation {

namespace {

/// Keeps the runs of neighbouring seeds apart from the actors' own generators.
constexpr std::uint64_t seed_salt = 0x5eed'0f'd1'5c0'7e7aull;

}  // namespace

simulator::simulator(std::uint64_t seed)
  : random(seed ^ seed_salt), config_(std::make_unique<runtime::system_config>()) {
  config_->enable_simulation(seed);
  config_->load<coordinator>();
  actors::add_message_types(*config_);
  wall_base_ms_ = config_->context->wall_base_ms;
  system_ = std::make_unique<caf::actor_system>(*config_);
  system_->await_actors_before_shutdown(false);
  coordinator_ = &dynamic_cast<coordinator&>(system_->scheduler());
  start_ = coordinator_->clock().now();
}

simulator::~simulator() {
  on_message = nullptr;
  deeds.clear();
  afterwards_.clear();
  auto& clock = coordinator_->clock();
  for (auto living = context().actors.handles(); !living.empty();
       living = context().actors.handles()) {
    for (auto& one : living)
      end_actor(one, caf::exit_reason::kill);
    clock.cancel_all();
    while (coordinator_->ready() > 0)
      coordinator_->run(coordinator_->ready() - 1);
  }
  clock.cancel_all();
  deeds.clear();
}

time_point simulator::now() const {
  return coordinator_->clock().current_time;
}

std::int64_t simulator::now_us() const {
  return std::chrono::duration_cast<std::chrono::microseconds>(now() - start_).count();
}

void simulator::after_us(std::int64_t delay_us, timeline::deed what) {
  deeds.at(now() + std::chrono::microseconds{delay_us}, std::move(what));
}

std::map<std::string, std::int64_t> simulator::timers() {
  using clock = caf::detail::simple_actor_clock;
  std::map<std::string, std::int64_t> result;
  for (auto& [due, what] : coordinator_->clock().schedule()) {
    if (what->subtype != clock::actor_msg_type) {
      ++result["of requests"];
      continue;
    }
    auto& timer = static_cast<const clock::actor_msg&>(*what);
    auto vitals = context().actors.vitals(timer.receiver->id());
    ++result[(vitals ? vitals->name : std::string{"(ended)"}) + " "
             + steps_taken.name_of(*system_, timer.content->content())];
  }
  return result;
}

void simulator::skew_clock(host_id host, std::int64_t skew_ms) {
  auto index = static_cast<std::size_t>(host);
  if (index >= skews_.size())
    skews_.resize(index + 1, 0);
  skews_[index] = skew_ms;
}

void simulator::set_wall(host_id host) {
  context().wall_base_ms = wall_base_ms_ + skew_of(host);
}

void simulator::as(host_id host, const std::function<void()>& work) {
  auto before = std::exchange(coordinator_->current, host);
  set_wall(host);
  work();
  coordinator_->current = before;
}

bool simulator::step() {
  ++steps_;
  auto ready = coordinator_->ready();
  auto next = deeds.next();
  auto is_due = next && *next <= now();
  auto choices = ready + (is_due ? 1 : 0);
  if (choices == 0) {
    auto moved = advance();
    finish_step();
    return moved;
  }
  auto chosen = choices == 1 ? 0 : random.below(choices);
  if (chosen < ready)
    run_actor(chosen);
  else
    run_deed();
  finish_step();
  return true;
}

void simulator::finish_step() {
  if (!afterwards_.empty())
    for (auto& what : std::exchange(afterwards_, {}))
      what();
}

void simulator::run_actor(std::size_t index) {
  auto& actor = coordinator_->peek(index);
  auto host = coordinator_->home_of(actor.id());
  steps_taken.mix(actor.id());
  if (auto* element = actor.peek_at_next_mailbox_element()) {
    steps_taken.mix_type(*system_, element->content());
    steps_taken.mix(element->mid.integer_value());
    if (steps_taken.is_written())
      steps_taken.line(now_us(), "host " + std::to_string(host) + " " + actor.name() + "#"
                                   + std::to_string(actor.id()) + " "
                                   + steps_taken.name_of(*system_, element->content()));
    if (on_message)
      on_message(actor, *element);
  }
  set_wall(host);
  coordinator_->run(index);
}

void simulator::run_deed() {
  steps_taken.mix(0xdeed);
  auto what = deeds.take();
  what();
}

bool simulator::advance() {
  auto& clock = coordinator_->clock();
  auto& timers = clock.schedule();
  auto next = deeds.next();
  if (!timers.empty() && (!next || timers.begin()->first < *next))
    next = timers.begin()->first;
  if (!next)
    return false;
  clock.current_time = std::max(clock.current_time, *next);
  steps_taken.mix(static_cast<std::uint64_t>(now_us()));
  clock.advance_time(caf::timespan{0});
  return true;
}

void simulator::end_actor(const caf::actor& target, const caf::error& reason) {
  auto* actor = dynamic_cast<caf::scheduled_actor*>(caf::actor_cast<caf::abstract_actor*>(target));
  if (actor == nullptr || actor->getf(caf::abstract_actor::is_terminated_flag))
    return;
  auto before = std::exchange(coordinator_->current, coordinator_->home_of(actor->id()));
  actor->context(coordinator_->unit());
  actor->quit(reason);
  actor->finalize();
  coordinator_->current = before;
}

std::vector<caf::actor> simulator::actors_of(host_id host) {
  auto all = context().actors.handles();
  std::erase_if(all, [&](const caf::actor& one) {
    return coordinator_->home_of(one.id()) != host;
  });
  return all;
}

void simulator::end_host(host_id host) {
  // What an ending actor spawns in its last words ends as well.
  for (auto living = actors_of(host); !living.empty(); living = actors_of(host))
    for (auto& one : living)
      end_actor(one, caf::exit_reason::kill);
  coordinator_->forget(host);
}

}  // namespace dim::simulation
