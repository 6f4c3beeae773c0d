#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/real.hpp"

/// Messages of FAULTS, which does harm on purpose. Only with `[faults] enabled`.
namespace dim::actors {

/// What a fault does; `fault_order` says to whom and for how long.
enum class fault_kind : std::uint8_t {
  kill,           ///< Ends a process, an agent process or an actor at once.
  stop,           ///< Freezes a process or an agent process (SIGSTOP).
  drop,           ///< Loses messages between processes.
  delay,          ///< Holds messages between processes back.
  duplicate,      ///< Delivers messages between processes twice.
  corrupt,        ///< Flips a bit in the payload of messages between processes.
  partition,      ///< Loses everything between two processes.
  slow,           ///< Makes forwards longer.
  wrong_result,   ///< Makes agents answer with other numbers.
  out_of_memory,  ///< Makes forwards fail with `memory_limit`.
  fill_disk,      ///< Makes the store's writes fail as on a full disk.
};
std::string_view to_string(fault_kind value) noexcept;
std::optional<fault_kind> fault_kind_from(std::string_view text) noexcept;
constexpr fault_kind last_value(fault_kind) noexcept {
  return fault_kind::fill_disk;
}

/// One fault. `target` and `peer` are patterns with `*` over the names that `fault_names` makes:
/// "orchestrator", "gateway/NAME", "node/NAME", "agent/MODEL@PROCESS", "model/MODEL",
/// "actor/NAME@PROCESS"; "@PROCESS" may be left out.
struct fault_order {
  /// Names it in logs and lists; given by the orchestrator's FAULTS.
  std::string id;
  fault_kind kind = fault_kind::kill;
  std::string target;
  /// partition: the other side; empty: everybody else.
  std::string peer;
  /// partition: only what `target` sends is lost.
  bool one_way = false;
  /// drop, delay, duplicate, corrupt: names of message types; empty: all.
  std::vector<std::string> messages;
  /// All but kill. The fault ends then by itself, whatever becomes of whoever asked for it.
  std::uint64_t lasts_ms = 0;
  /// Of each message or forward that it concerns.
  runtime::real probability = 1.0;
  /// delay: the bounds of the pause, both included.
  std::uint32_t delay_min_ms = 0;
  std::uint32_t delay_max_ms = 0;
  /// slow: how many times as long a forward takes.
  runtime::real factor = 1.0;
  /// Of the choices by `probability` and of the delays.
  std::uint64_t seed = 0;

  bool operator==(const fault_order&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fault_order& x) {
  return f(x.id, x.kind, x.target, x.peer, x.one_way, x.messages, x.lasts_ms, x.probability,
           x.delay_min_ms, x.delay_max_ms, x.factor, x.seed);
}

/// To the orchestrator's FAULTS. Errors: forbidden (faults are not enabled), bad_input, not_found
/// (the target fits nothing).
struct inject_fault {
  fault_order order;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inject_fault& x) {
  return f(x.order);
}

struct fault_injected {
  std::string id;
  /// The names of those that it has hit, or holds for.
  std::vector<std::string> struck;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fault_injected& x) {
  return f(x.id, x.struck);
}

/// From the orchestrator's FAULTS to those of other processes. Replies with what was hit there.
struct strike_fault {
  fault_order order;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, strike_fault& x) {
  return f(x.order);
}

/// A fault that has not ended yet.
struct active_fault {
  fault_order order;
  std::uint64_t left_ms = 0;
  /// Messages, forwards or writes that it has hit so far.
  std::uint64_t strikes = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, active_fault& x) {
  return f(x.order, x.left_ms, x.strikes);
}

/// A process that may be hit.
struct fault_process {
  /// What it answers to: "node/a", or several where it has several roles.
  std::vector<std::string> names;
  std::int64_t pid = 0;
  /// Its agent processes, as "agent/MODEL".
  std::vector<std::string> agents;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fault_process& x) {
  return f(x.names, x.pid, x.agents);
}

/// Every process's FAULTS tells the orchestrator's that it is there, and what it does. No reply.
struct faults_report {
  fault_process process;
  std::vector<active_fault> active;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, faults_report& x) {
  return f(x.process, x.active);
}

/// Errors: forbidden.
struct list_faults {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_faults&) {
  return f();
}

struct fault_list {
  std::vector<fault_process> processes;
  std::vector<active_fault> active;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fault_list& x) {
  return f(x.processes, x.active);
}

/// Ends the fault with this id, or all when it is empty. Replies with those that were active.
/// Errors: forbidden.
struct clear_faults {
  std::string id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, clear_faults& x) {
  return f(x.id);
}

/// INTERNAL to FAULTS: end what is over, report what is there.
struct faults_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, faults_due&) {
  return f();
}

}  // namespace dim::actors
