#pragma once

#include <vector>

#include "tests/simulation/hooks.hpp"

/// Planted bugs of what actors make of messages (see planted_bugs.hpp).
namespace dim::simulation {

class idempotency_key_forgotten final : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

class replicas_placed_alone final : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

class retry_on_the_same_node final : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

class score_counted_twice final : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

class digest_not_checked final : public world_hooks {
public:
  void on_orchestrator(tools::orchestrator_services& services,
                       std::vector<runtime::child_spec>& children) override;
};

}  // namespace dim::simulation
