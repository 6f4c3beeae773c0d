#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <caf/all.hpp>
#include <caf/io/network/test_multiplexer.hpp>
#include <caf/scheduler/test_coordinator.hpp>

#include "runtime/caf_errors.hpp"
#include "runtime/system.hpp"

namespace dim::simulation {

/// A point of virtual time, the same for all processes.
using time_point = caf::actor_clock::time_point;

struct process_settings {
  std::string name;
  /// Of its generators: another one for each start, so that its incarnation is new.
  std::uint64_t seed = 1;
  std::int64_t wall_base_ms = 0;
  std::uint32_t heartbeat_ms = 1'000;
  std::uint32_t lost_ms = 10'000;
  time_point now;
};

/// One simulated process: an actor system of its own, with the real middleman and BASP broker,
/// without threads and sockets. Nothing in it moves but by the calls below, so that whoever holds
/// all processes decides what happens next.
class basp_process {
public:
  explicit basp_process(const process_settings& settings);

  /// Ends every actor as `kill -9` does: nobody outside hears of it.
  ~basp_process();

  basp_process(const basp_process&) = delete;
  basp_process& operator=(const basp_process&) = delete;

  const std::string& name() const noexcept {
    return name_;
  }
  caf::actor_system& system() noexcept {
    return *system_;
  }
  caf::io::network::test_multiplexer& sockets() noexcept {
    return *sockets_;
  }
  runtime::system_context& context() noexcept {
    return *config_.context;
  }

  /// Actors that have a message.
  std::size_t ready() const {
    return scheduler_->jobs.size();
  }

  /// What the next step of one of them is: for a trace, and for whoever watches.
  struct step {
    caf::actor_id actor = 0;
    const char* name = "";
    /// Empty when CAF's own business is next.
    const caf::mailbox_element* element = nullptr;
  };
  step peek(std::size_t index) const;

  /// Handles one message of the actor at `index`, which is below `ready()`.
  void run(std::size_t index);

  /// Runs one step of a broker; false when none is ready.
  bool run_broker();

  /// Runs until no actor has a message, without moving time; returns how many messages there were.
  std::size_t drain();

  /// When the next timer fires; nothing when there is none.
  std::optional<time_point> next_timer() const;

  /// Moves this process's clock on and fires what is due; returns how many timers that were.
  std::size_t advance_to(time_point now);

  std::size_t timers() const;

  /// Asks an actor of this process and runs the process until it has answered; nothing else moves.
  /// For looking into a world that stands still.
  template <class Reply, class Handle, class Request>
  runtime::expected<Reply> ask(const Handle& to, Request request) {
    auto reply = std::make_shared<std::optional<runtime::expected<Reply>>>();
    system_->spawn<caf::hidden>([reply, to, request](caf::event_based_actor* self) {
      self->request(to, caf::infinite, request)
        .then([reply](Reply& x) { *reply = std::move(x); },
              [reply](caf::error& x) { *reply = tl::unexpected(runtime::to_failure(x)); });
    });
    drain();
    if (*reply)
      return std::move(**reply);
    return runtime::fail(runtime::error_code::timeout, "nobody answers");
  }

private:
  void kill_all();

  std::string name_;
  runtime::system_config config_;
  std::unique_ptr<caf::actor_system> system_;
  caf::scheduler::test_coordinator* scheduler_ = nullptr;
  caf::io::network::test_multiplexer* sockets_ = nullptr;
};

}  // namespace dim::simulation
