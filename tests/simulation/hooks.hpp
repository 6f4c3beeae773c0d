#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "runtime/actor_base.hpp"
#include "runtime/supervisor.hpp"
#include "tests/simulation/network.hpp"
#include "tools/dimd/orchestrator.hpp"

/// Where a planted bug gets into a simulated cluster without a line of production code.
namespace dim::simulation {

/// Derive from this, override what the bug needs, and give it to `run_options`. Every function is
/// called in the one thread of the simulation, and must be as deterministic as all of it.
class world_hooks {
public:
  virtual ~world_hooks() = default;

  /// Before the orchestrator's tree is started, at its first start and after each crash: the bug
  /// may wrap the start of a child, for instance with `put_in_front`.
  virtual void on_orchestrator(tools::orchestrator_services& services,
                               std::vector<runtime::child_spec>& children) {
    static_cast<void>(services);
    static_cast<void>(children);
  }

  /// The same for a node's tree (NODE, CACHE, DEVICE ...).
  virtual void on_node(const std::string& name, std::vector<runtime::child_spec>& children) {
    static_cast<void>(name);
    static_cast<void>(children);
  }

  /// Before a message travels from one host to another: it may change its content, or lose it.
  virtual packet_fate on_packet(packet& what) {
    static_cast<void>(what);
    return {};
  }
};

/// What a filter does to a message: it may change it; false loses it.
using message_filter = std::function<bool(caf::message& content)>;

/// Sees each message with what is needed to send others: `send` hands one more message to the real
/// actor, in the name of the same sender.
using message_rewriter =
  std::function<void(caf::message content, const std::function<void(caf::message)>& send)>;

/// An actor in front of `target` that hands on what `rewrite` makes of each message, with its
/// sender, so that the answers take no detour. A request whose message is not handed on is never
/// answered.
caf::actor spawn_filter(caf::local_actor& parent, caf::actor target, message_rewriter rewrite);

/// Lets everybody who uses `cell` talk to a filter in front of the child named `name`. The
/// supervisor still watches the real actor, whose end ends the filter.
template <class Handle>
void rewrite_in_front(std::vector<runtime::child_spec>& children, const std::string& name,
                      runtime::service<Handle> cell, message_rewriter rewrite) {
  for (auto& child : children) {
    if (child.name != name)
      continue;
    child.start = [start = child.start, cell,
                   rewrite](caf::local_actor& parent) mutable
      -> runtime::expected<caf::strong_actor_ptr> {
      auto started = start(parent);
      if (started)
        cell.set(caf::actor_cast<Handle>(
          spawn_filter(parent, caf::actor_cast<caf::actor>(*started), rewrite)));
      return started;
    };
  }
}

/// The same where each message becomes one or none.
template <class Handle>
void put_in_front(std::vector<runtime::child_spec>& children, const std::string& name,
                  runtime::service<Handle> cell, message_filter filter) {
  rewrite_in_front(children, name, cell,
                   [filter](caf::message content, const std::function<void(caf::message)>& send) {
                     if (filter(content))
                       send(std::move(content));
                   });
}

}  // namespace dim::simulation
