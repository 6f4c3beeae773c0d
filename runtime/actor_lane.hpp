#pragma once

#include <cstddef>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <caf/actor_cast.hpp>
#include <caf/actor_system.hpp>
#include <caf/execution_unit.hpp>
#include <caf/message.hpp>
#include <caf/resumable.hpp>

namespace dim::runtime {

/// Runs actors on a thread that is none of the scheduler's: an HTTP thread, a detached actor's, the
/// one of the links. What such a thread wakes then needs no other thread, which would take 30 to 50
/// microseconds to wake up; a step between actors on one thread takes less than one.
///
/// Only actors whose state says `static constexpr bool runs_on_lanes = true` come here (see
/// `actor_base`): their handlers take microseconds, so that the thread is soon free for its own
/// work. What is left after `turns_max` turns goes to the scheduler.
///
///     lane.enter({});
///     for (...) {
///       ... a round of the thread's own work, which sends to actors with `send_from_thread` ...
///       lane.run();
///     }
///     lane.leave();
///
/// A lane outlives its thread: actors keep a pointer to the unit on which they ran last. So lanes
/// come from the system's `lane_pool`.
class actor_lane final : public caf::execution_unit {
public:
  /// Turns of one `run`, and messages that an actor handles in a turn.
  static constexpr std::size_t turns_max = 64;
  static constexpr std::size_t messages_max = 32;

  explicit actor_lane(caf::actor_system& system) : caf::execution_unit(&system) {
  }

  /// Makes this the lane of the calling thread. `due`, if there is one, is called in that thread
  /// when something has come to an empty lane; it sees to it that `run` is called soon.
  /// `stands_for`: the unit that the thread's own code names, where it has one.
  void enter(std::function<void()> due, const caf::execution_unit* stands_for = nullptr);

  /// The thread has no lane any more; what waits goes to the scheduler.
  void leave();

  bool stands_for(const caf::execution_unit* unit) const noexcept {
    return unit == stands_for_;
  }

  /// The lane of the calling thread; null when it has none.
  static actor_lane* of_this_thread() noexcept;

  /// Takes an actor that has got a message. In another thread than the lane's it goes to the
  /// scheduler.
  void exec_later(caf::resumable* job) override;

  /// Runs what waits, and what that wakes. In the lane's thread, but not in a handler of an actor.
  void run();

  /// Gives what waits to the scheduler.
  void hand_over();

private:
  std::function<void()> due_;
  const caf::execution_unit* stands_for_ = nullptr;
  std::deque<caf::resumable*> waiting_;
  /// `due_` has been called, or `run` is at work.
  bool is_due_ = false;
};

/// Lanes of one actor system, used again when their thread has ended. Thread-safe.
class lane_pool {
public:
  /// A lane that no thread has.
  actor_lane& take(caf::actor_system& system);
  /// Its thread has left it.
  void give_back(actor_lane& lane);

private:
  std::mutex mutex_;
  std::vector<std::unique_ptr<actor_lane>> all_;
  std::vector<actor_lane*> free_;
};

/// Sends to an actor from a thread that may have a lane, without a sender.
template <class Handle, class Message>
void send_from_thread(const Handle& receiver, Message message) {
  caf::actor_cast<caf::abstract_actor*>(receiver)->enqueue(
    nullptr, caf::make_message_id(), caf::make_message(std::move(message)),
    actor_lane::of_this_thread());
}

}  // namespace dim::runtime
