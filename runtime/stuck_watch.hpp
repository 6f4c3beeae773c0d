#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <caf/fwd.hpp>

#include "runtime/directory_messages.hpp"
#include "runtime/stuck_actors.hpp"

/// A crash of an actor is its supervisor's matter; here is who notices one that hangs: it waits for
/// a disk that does not answer, or runs in a circle, and whoever has asked it waits with it.
namespace dim::runtime {

/// The actors of this process that are stuck now: one message for `system_context::stuck_limit`. It
/// reads the table and asks nobody, so that it answers in any thread whatever hangs. The first has
/// been stuck for longest.
std::vector<stuck_actor> stuck_now(caf::actor_system& system);

/// For a person: "STORE has handled commit_changes for 14 s, 3 messages wait".
std::string to_text(const stuck_actor& stuck);

/// Writes changes into the log: an error for each that begins, a warning for each that is over.
void log_stuck(caf::actor_system& system, const stuck_changes& news);

/// Tells of actors that get stuck, and of those that are not any more. It looks on a thread of its
/// own, because those that run the actors may be the ones that hang; with `stuck_limit` 0 it has
/// none. Shorter lived than `system`.
class stuck_watch {
public:
  using listener = std::function<void(caf::actor_system&, const stuck_changes&)>;

  /// `tell` is called from that thread, and only when something has changed.
  explicit stuck_watch(caf::actor_system& system, listener tell = log_stuck);
  ~stuck_watch();
  stuck_watch(const stuck_watch&) = delete;
  stuck_watch& operator=(const stuck_watch&) = delete;

private:
  void look_again_and_again();

  caf::actor_system& system_;
  listener tell_;
  std::mutex mutex_;
  std::condition_variable ending_;
  bool is_over_ = false;
  std::thread thread_;
};

}  // namespace dim::runtime
