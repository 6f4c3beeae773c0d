#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <caf/all.hpp>

#include "runtime/random_source.hpp"
#include "runtime/system.hpp"
#include "tests/simulation/coordinator.hpp"
#include "tests/simulation/timeline.hpp"
#include "tests/simulation/trace.hpp"

namespace dim::simulation {

/// One actor system under virtual time in one thread. What happens next is chosen by a seed:
/// one message of one of the actors that have any, or what is due on the timeline; when neither is
/// left, time moves on to the next timer or deed.
class simulator {
public:
  explicit simulator(std::uint64_t seed);
  /// Ends every actor and drops every timer.
  ~simulator();
  simulator(const simulator&) = delete;
  simulator& operator=(const simulator&) = delete;

  /// Takes one step. False when nothing is left to do.
  bool step();

  caf::actor_system& system() noexcept {
    return *system_;
  }
  runtime::system_context& context() noexcept {
    return *config_->context;
  }
  coordinator& actors() noexcept {
    return *coordinator_;
  }
  /// Since the start.
  time_point now() const;
  std::int64_t now_us() const;
  std::int64_t now_ms() const {
    return now_us() / 1'000;
  }
  std::uint64_t steps() const noexcept {
    return steps_;
  }

  /// Does it in `delay_us` microseconds.
  void after_us(std::int64_t delay_us, timeline::deed what);

  /// Does it when the step that runs now is over, before the next one.
  void after_step(timeline::deed what) {
    afterwards_.push_back(std::move(what));
  }

  /// Moves the wall clock of a host, in milliseconds.
  void skew_clock(host_id host, std::int64_t skew_ms);
  std::int64_t skew_of(host_id host) const noexcept {
    auto index = static_cast<std::size_t>(host);
    return host >= 0 && index < skews_.size() ? skews_[index] : 0;
  }

  /// Lets `work` spawn and send in the name of `host`.
  void as(host_id host, const std::function<void()>& work);

  /// Ends the actor at once, as an exception in one of its handlers would.
  void end_actor(const caf::actor& target, const caf::error& reason);
  /// Ends all actors of a host at once: none of them handles anything any more.
  void end_host(host_id host);
  std::vector<caf::actor> actors_of(host_id host);

  /// Timers that have not fired yet, by actor and message: "NODE heartbeat_due".
  std::map<std::string, std::int64_t> timers();

  /// Is called before an actor handles a message.
  std::function<void(caf::scheduled_actor&, const caf::mailbox_element&)> on_message;

  trace steps_taken;
  timeline deeds;
  runtime::random_source random;

private:
  void run_actor(std::size_t index);
  void run_deed();
  bool advance();
  void finish_step();
  void set_wall(host_id host);

  std::unique_ptr<runtime::system_config> config_;
  std::unique_ptr<caf::actor_system> system_;
  coordinator* coordinator_ = nullptr;
  time_point start_;
  std::int64_t wall_base_ms_ = 0;
  std::uint64_t steps_ = 0;
  std::vector<timeline::deed> afterwards_;
  std::vector<std::int64_t> skews_;
};

}  // namespace dim::simulation
