#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace dim::runtime {

/// What is known of one actor from outside, without asking it: written by the actor base, read by
/// DIRECTORY. All times are of the actor system's clock, in nanoseconds.
struct actor_vitals {
  std::uint64_t id = 0;
  std::string name;
  std::uint64_t parent = 0;
  std::int64_t started_at_ns = 0;
  /// Messages in the mailbox: CAF's own count must never be read from outside (it wedges the actor).
  std::atomic<std::int64_t> mailbox{0};
  std::atomic<std::int64_t> mailbox_peak{0};
  std::atomic<std::uint64_t> handled{0};
  /// The type of the message that is handled now (a CAF type token), 0 when idle, and since when.
  std::atomic<std::uint32_t> current_type{0};
  std::atomic<std::int64_t> busy_since_ns{0};
};

/// One line of `ps`.
struct actor_line {
  std::uint64_t id = 0;
  std::string name;
  std::uint64_t parent = 0;
  std::int64_t started_at_ns = 0;
  std::int64_t mailbox = 0;
  std::int64_t mailbox_peak = 0;
  std::uint64_t handled = 0;
  std::uint32_t current_type = 0;
  std::int64_t busy_since_ns = 0;
};

/// Every living actor of this process. Thread-safe.
class actor_table {
public:
  std::shared_ptr<actor_vitals> enter(std::uint64_t id, std::string name, std::uint64_t parent,
                                      std::int64_t now_ns);
  void leave(std::uint64_t id);
  std::vector<actor_line> lines() const;

private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, std::shared_ptr<actor_vitals>> actors_;
};

}  // namespace dim::runtime
