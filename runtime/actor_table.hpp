#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <typeinfo>
#include <vector>

#include <caf/actor.hpp>
#include <caf/actor_control_block.hpp>
#include <caf/fwd.hpp>

#include "runtime/stuck_actors.hpp"

namespace dim::runtime {

/// The type of a message: the address of its `std::type_info`, or CAF's small number where the type
/// is one of CAF's own. 0 is no message.
using message_type = std::uintptr_t;

/// The type of the first element of `content`.
message_type type_of(const caf::type_erased_tuple& content);

/// The type's name as it was registered, without namespaces.
std::string name_of(caf::actor_system& system, message_type type);

/// One message that an actor has handled: its type and when, in nanoseconds of the actor clock.
struct trace_entry {
  message_type type = 0;
  std::int64_t at_ns = 0;
};

/// The last messages of one actor. One thread writes, any thread may read: an entry that is being
/// overwritten may show the type of one message with the time of another, which is good enough for
/// a person and costs two plain stores.
class trace_ring {
public:
  static constexpr std::size_t size = 32;

  void put(message_type type, std::int64_t at_ns) noexcept {
    auto index = next_.load(std::memory_order_relaxed);
    entries_[index % size].type.store(type, std::memory_order_relaxed);
    entries_[index % size].at_ns.store(at_ns, std::memory_order_relaxed);
    next_.store(index + 1, std::memory_order_relaxed);
  }

  /// Oldest first.
  std::vector<trace_entry> entries() const;

private:
  struct slot {
    std::atomic<message_type> type{0};
    std::atomic<std::int64_t> at_ns{0};
  };
  std::array<slot, size> entries_;
  std::atomic<std::uint64_t> next_{0};
};

/// What is known of one actor from outside, without asking it: written by the actor base, read by
/// DIRECTORY. All times are of the actor system's clock, in nanoseconds.
struct actor_vitals {
  std::uint64_t id = 0;
  std::string name;
  std::uint64_t parent = 0;
  std::int64_t started_at_ns = 0;
  /// Its messages take long by design.
  bool works_long = false;
  /// Messages in the mailbox: CAF's own count must never be read from outside (it wedges the
  /// actor).
  std::atomic<std::int64_t> mailbox{0};
  std::atomic<std::int64_t> mailbox_peak{0};
  std::atomic<std::uint64_t> handled{0};
  /// The type of the message that is handled now, 0 when idle, and since when.
  std::atomic<message_type> current_type{0};
  std::atomic<std::int64_t> busy_since_ns{0};
  trace_ring trace;
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
  message_type current_type = 0;
  std::int64_t busy_since_ns = 0;
};

/// Every living actor of this process. Thread-safe.
class actor_table {
public:
  std::shared_ptr<actor_vitals> enter(const caf::strong_actor_ptr& self, std::string name,
                                      std::uint64_t parent, std::int64_t now_ns,
                                      bool works_long);
  void leave(std::uint64_t id);

  /// Gives an actor the name that its part in the tree has.
  void rename(std::uint64_t id, std::string name);

  /// In the order of their ids, which is the order in which they were made.
  std::vector<actor_line> lines() const;

  /// Those that are in the middle of a message: few, however many live.
  std::vector<working_actor> working() const;

  /// The living actor with this id; an empty handle when there is none.
  caf::actor find(std::uint64_t id) const;

  /// What is known of the living actor with this id; null when there is none.
  std::shared_ptr<const actor_vitals> vitals(std::uint64_t id) const;

  /// Handles of all living actors.
  std::vector<caf::actor> handles() const;

private:
  struct entry {
    std::shared_ptr<actor_vitals> vitals;
    caf::weak_actor_ptr self;
  };
  mutable std::mutex mutex_;
  std::map<std::uint64_t, entry> actors_;
};

}  // namespace dim::runtime
