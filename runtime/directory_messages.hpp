#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <caf/typed_actor.hpp>

/// Messages of DIRECTORY.
namespace dim::runtime {

struct list_actors {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_actors&) {
  return f();
}

/// A living actor. Times are milliseconds until now.
struct actor_info {
  std::uint64_t id = 0;
  std::string name;
  /// 0 when it has none, or when its parent has ended.
  std::uint64_t parent = 0;
  /// 0 for those without a parent, 1 for their children, ...
  std::uint32_t depth = 0;
  std::int64_t age_ms = 0;
  /// Messages that wait, the one that is handled now included, and the most that ever did.
  std::int64_t mailbox = 0;
  std::int64_t mailbox_peak = 0;
  std::uint64_t handled = 0;
  /// The message that is handled now and for how long; empty for an idle actor.
  std::string busy_with;
  std::int64_t busy_ms = 0;

  bool operator==(const actor_info&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_info& x) {
  return f(x.id, x.name, x.parent, x.depth, x.age_ms, x.mailbox, x.mailbox_peak, x.handled,
           x.busy_with, x.busy_ms);
}

/// A tree, written out: each actor is followed by its children, older ones first.
struct actor_list {
  std::vector<actor_info> actors;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_list& x) {
  return f(x.actors);
}

/// Asks for everything that is known of one actor.
struct inspect_actor {
  std::uint64_t id = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inspect_actor& x) {
  return f(x.id);
}

/// A message that an actor has handled.
struct handled_message {
  std::string type;
  std::int64_t age_ms = 0;

  bool operator==(const handled_message&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, handled_message& x) {
  return f(x.type, x.age_ms);
}

struct actor_details {
  actor_info info;
  /// Whether the actor came to the question in time; a busy one does not.
  bool answered = false;
  /// In its own words.
  std::string state;
  /// The last messages, oldest first.
  std::vector<handled_message> trace;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, actor_details& x) {
  return f(x.info, x.answered, x.state, x.trace);
}

/// Asks what this process has counted, for a gateway in another one.
struct get_process_metrics {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_process_metrics&) {
  return f();
}

struct process_metrics {
  /// As `process_number` says: a gateway in the same process has all of it already.
  std::uint64_t process_number = 0;
  /// Prometheus' text format.
  std::string text;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, process_metrics& x) {
  return f(x.process_number, x.text);
}

struct find_stuck_actors {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, find_stuck_actors&) {
  return f();
}

/// An actor that has handled one message for longer than `[supervision] stuck_ms`.
struct stuck_actor {
  std::string name;
  /// The type of that message.
  std::string message;
  std::int64_t busy_ms = 0;
  /// Messages that wait behind it.
  std::int64_t waiting = 0;

  bool operator==(const stuck_actor&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stuck_actor& x) {
  return f(x.name, x.message, x.busy_ms, x.waiting);
}

struct stuck_actor_list {
  std::vector<stuck_actor> actors;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, stuck_actor_list& x) {
  return f(x.actors);
}

/// DIRECTORY knows who lives in this process.
using directory_actor = caf::typed_actor<
  // Never fails.
  caf::replies_to<list_actors>::with<actor_list>,
  // Asks the actor itself and waits for it up to a second. Errors: not_found.
  caf::replies_to<inspect_actor>::with<actor_details>,
  // Never fails.
  caf::replies_to<get_process_metrics>::with<process_metrics>,
  // Never fails.
  caf::replies_to<find_stuck_actors>::with<stuck_actor_list>>;

}  // namespace dim::runtime
