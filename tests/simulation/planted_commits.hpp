#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "actors/store/messages.hpp"
#include "tests/simulation/hooks.hpp"

/// Planted bugs of what is written (see planted_bugs.hpp).
namespace dim::simulation {

/// Stands in front of STORE and sees every commit.
class bug_before_store : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;

protected:
  /// Changes the commit; false drops it.
  virtual bool alter(actors::commit_changes& commit) = 0;
};

/// Answers each commit at once, and hands it on a little later.
class acknowledged_before_commit : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

class commit_never_answered final : public bug_before_store {
  bool alter(actors::commit_changes& commit) override;
  std::uint64_t commits_ = 0;
};

class terminal_state_overwritten final : public bug_before_store {
  bool alter(actors::commit_changes& commit) override;
  /// Goes with the next commit.
  std::vector<actors::change> pending_;
};

class terminal_state_lost final : public bug_before_store {
  bool alter(actors::commit_changes& commit) override;
  std::uint64_t ends_ = 0;
};

class event_number_skipped final : public bug_before_store {
  bool alter(actors::commit_changes& commit) override;
  std::uint64_t commits_ = 0;
};

class loss_counted_on_each_look final : public bug_before_store {
  bool alter(actors::commit_changes& commit) override;
  /// What was said of the last loss, which goes with the next commit.
  std::vector<actors::event> again_;
};

/// Looks at what SCHEDULER hears as well.
class fence_removed final : public bug_before_store {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;

private:
  bool alter(actors::commit_changes& commit) override;
  /// The loss of each execution that was lost.
  std::map<std::string, actors::event> lost_;
  /// Results that came afterwards.
  std::vector<actors::event> late_;
};

}  // namespace dim::simulation
