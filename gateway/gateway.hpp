#pragma once

#include <atomic>
#include <chrono>
#include <memory>

#include <caf/all.hpp>

#include "config/options.hpp"
#include "gateway/actor_bridge.hpp"
#include "gateway/handlers/context.hpp"
#include "gateway/router.hpp"
#include "gateway/server.hpp"
#include "runtime/service.hpp"

namespace dim::gateway {

/// HTTP for one cluster: START HERE. It owns the routes, the bridge to the actors, and the server.
///
///     gateway::gateway http{entry, options};
///     root.children.push_back(http.child());  // then the supervision tree is started
///     auto port = http.start();
///     ...
///     http.drain(std::chrono::steady_clock::now() + 30s);
///     http.stop();
///
/// The functions are called from one thread, which is no actor's and none of the server's.
class gateway {
public:
  /// `targets.entry` holds the orchestrator's ENTRY, in this process or another, and is empty while
  /// there is none: requests then answer `unavailable`. Used of `options` are `gateway`, the job
  /// defaults in `orchestrator`, and `store.model_check_timeout_ms`.
  gateway(bridge_targets targets, const config::options& options);
  /// The same without a supervision tree.
  gateway(caf::actor_system& system, bridge_targets targets,
          const config::options& options);
  /// Stops.
  ~gateway();
  gateway(const gateway&) = delete;
  gateway& operator=(const gateway&) = delete;

  /// The gateway's one actor, for the supervision tree.
  runtime::child_spec child() const;

  /// Listens and serves. Returns the port. Errors: unavailable (the address can not be had). The
  /// HTTP threads run actors of `system` that they have woken, and readiness looks for stuck ones
  /// among them; null: neither.
  runtime::expected<std::uint16_t> start(caf::actor_system* system = nullptr);

  /// Accepts no more connections, and waits for the answers that are due, at most until `deadline`.
  /// Returns whether all were given.
  bool drain(std::chrono::steady_clock::time_point deadline);

  /// Ends everything: what still waits for the actors is dropped.
  void stop();

  /// The route table.
  const router& routes() const noexcept {
    return routes_;
  }

private:
  void add_routes(const config::options& options);

  std::atomic<bool> draining_{false};
  actor_bridge bridge_;
  handler_context context_;
  router routes_;
  server server_;
};

}  // namespace dim::gateway
