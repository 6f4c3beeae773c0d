#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "actors/faults/fault_board.hpp"
#include "actors/faults/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "runtime/ids.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

struct faults_arguments {
  /// `[faults] enabled`.
  bool is_enabled = false;
  std::uint64_t lasts_max_ms = 3'600'000;
  /// The faults of this process, and its names.
  std::shared_ptr<fault_board> board;
  /// The orchestrator's ENTRY, to report to; not used by the orchestrator's own FAULTS.
  runtime::service<caf::actor> entry;
  bool is_orchestrator = false;
};

/// FAULTS does harm to its process on request: one in every daemon. That of the orchestrator gets
/// the requests, carries them out in its own process and has the others carry them out in theirs.
///
///   gateway --inject_fault--> ENTRY --> FAULTS --strike_fault--> FAULTS of other processes
///   FAULTS of other processes --faults_report--> ENTRY --> FAULTS
///
/// What lasts stands on the board with its end: it ends even when nobody is left to end it. Every
/// fault is logged under its id. It blocks while it looks for agent processes, so it is detached.
struct faults_state {
  static inline const char* name = "FAULTS";
  using self_pointer = runtime::actor_self<faults_actor, faults_state>;

  void initialise(self_pointer pointer, faults_arguments values);

  caf::result<fault_injected> inject(inject_fault& wish);
  fault_injected strike(const fault_order& order);
  caf::result<fault_list> list() const;
  caf::result<fault_list> clear(const clear_faults& wish);
  void note_report(faults_report& news);
  void look_at_clock();
  std::string describe() const;

private:
  /// Another process with a FAULTS.
  struct member {
    faults_report last;
    faults_actor handle;
    std::int64_t seen_ns = 0;
  };
  struct broadcast;

  void finish(broadcast& run);
  /// Ends the fault with this id, or all when it is empty, here and in the others.
  void end_everywhere(const std::string& id);
  bool is_member_here(const member& each) const;
  /// Hits a process, an agent process or an actor at once; returns its name.
  std::vector<std::string> strike_at_once(const fault_order& order);
  std::vector<std::string> signal_agent(const fault_order& order, const fault_target& target);
  std::vector<std::string> kill_actor(const fault_order& order, const fault_target& target);
  bool send_signal(const fault_order& order, std::int64_t pid);
  /// Whether a fault that lasts has an effect in this process.
  bool is_concerned(const fault_order& order) const;
  bool hits_itself(const fault_order& order) const;
  void refresh();
  fault_process process() const;
  fault_list everything() const;

  self_pointer self = nullptr;
  faults_arguments arguments;
  runtime::call_table calls{1'024};
  std::unique_ptr<runtime::id_source> ids;
  /// By their names.
  std::map<std::vector<std::string>, member> members;
};

faults_actor::behavior_type faults(faults_state::self_pointer self, faults_arguments arguments);

}  // namespace dim::actors
