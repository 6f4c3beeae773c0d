#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/simulation/cluster.hpp"
#include "tools/scenario/history.hpp"
#include "tools/scenario/invariants.hpp"

namespace dim::simulation {

/// The nodes on which an execution might have been placed, as its record tells.
std::vector<std::string> fitting_nodes_of(const actors::execution_record& from);

/// Watches a run and writes its history: events as soon as they are committed, what the clients
/// saw, and at the end what the store and the registry hold. Whatever can be known to be wrong at
/// once is known after the step that did it.
class observer {
public:
  observer(simulator& sim, cluster& processes);

  /// Reads the events of the last step out of the store.
  void after_step();

  /// Looks at a message before its receiver does, for the count of rare paths.
  void on_message(caf::scheduled_actor& receiver, const caf::mailbox_element& element);

  void note(const scenario::submission& made);
  void note(const scenario::sighting& seen);
  void note_path(const std::string& path, std::uint64_t times = 1) {
    seen_.paths[path] += times;
  }
  void note_violation(const std::string& invariant, const std::string& detail);

  /// Reads jobs and executions from the store.
  void read_store();
  /// Members as the registry tells of them.
  void note_nodes(const std::vector<actors::node_record>& nodes);

  const std::vector<scenario::violation>& violations() const noexcept {
    return violations_;
  }
  scenario::history& seen() noexcept {
    return seen_;
  }

private:
  void take(const actors::event& fact);
  void take(std::vector<scenario::violation> found);
  void note_paths(const scenario::logged_event& event);
  void read_job(const runtime::transaction& snapshot, const std::string& id);

  simulator& sim_;
  cluster& cluster_;
  scenario::history seen_;
  scenario::running_check check_;
  std::vector<scenario::violation> violations_;
  /// Of the database as it was looked at last.
  const void* database_ = nullptr;
  std::uint64_t commits_ = 0;
  std::uint64_t last_event_ = 0;
  std::set<std::string> joined_;
  std::set<std::string> ended_;
  std::set<std::string> finished_;
};

}  // namespace dim::simulation
