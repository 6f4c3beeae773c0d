#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include <caf/actor_system.hpp>

#include "runtime/actor_lane.hpp"
#include "runtime/shared_channel.hpp"

namespace dim::runtime {

/// The thread of a listener.
struct listener_thread {
  /// Where it runs; none: anywhere.
  std::vector<std::uint32_t> cores = {};
  /// Whether it looks for news before it sleeps also while there is much to do (`spin_wait`).
  bool looks_under_load = true;
  /// While something is unwritten, only room for it is news: the actor takes nothing up before. The
  /// other side must always read, or both would wait for each other.
  bool writes_first = false;
};

/// Waits, on a thread of its own, for a channel's bell, and tells the actor that has this end of
/// the channel. That actor, and those that it wakes, run on the thread then (`actor_lane`), so that
/// what comes over the channel wakes one thread. The actor reads and writes the channel itself, on
/// whatever thread it runs.
///
/// The thread ends soon after its listener; the actor system waits for it.
class channel_listener {
public:
  /// `tell` sends the actor a message, with `send_from_thread`; it runs on the thread.
  channel_listener(caf::actor_system& system, std::shared_ptr<shared_channel> channel,
                   std::function<void()> tell, listener_thread thread);
  ~channel_listener();
  channel_listener(const channel_listener&) = delete;
  channel_listener& operator=(const channel_listener&) = delete;

  /// For the actor, before it looks at the channel: what comes from now on it is told anew.
  void note_heard() noexcept;

  /// For the actor: it has left something unwritten, and waits for room.
  void note_unwritten(bool is_left) noexcept;

private:
  struct shared_state;

  static void listen(caf::actor_system& system, shared_state& state);

  std::shared_ptr<shared_state> state_;
};

}  // namespace dim::runtime
