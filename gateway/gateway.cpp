#include "gateway/gateway.hpp"

#include <algorithm>

#include "gateway/handlers/arrays.hpp"
#include "gateway/handlers/backup.hpp"
#include "gateway/handlers/events.hpp"
#include "gateway/handlers/faults.hpp"
#include "gateway/handlers/health.hpp"
#include "gateway/handlers/inference.hpp"
#include "gateway/handlers/jobs.hpp"
#include "gateway/handlers/logging.hpp"
#include "gateway/handlers/metrics.hpp"
#include "gateway/handlers/model_serving.hpp"
#include "gateway/handlers/models.hpp"
#include "gateway/handlers/nodes.hpp"
#include "gateway/handlers/placement.hpp"
#include "gateway/handlers/repository.hpp"
#include "gateway/handlers/stats.hpp"
#include "gateway/http_cores.hpp"
#include "gateway/restricted_apis.hpp"
#include "runtime/machine.hpp"
#include "runtime/stuck_watch.hpp"
#include "runtime/thread_binding.hpp"

namespace dim::gateway {

namespace {

using std::chrono::milliseconds;

/// One connection has one request at a time, and a request has at most this many calls on the way.
constexpr std::size_t calls_per_connection = 4;

std::size_t calls_max(const config::options& options) {
  return options.gateway.connections_max * calls_per_connection;
}

server_options server_options_from(const config::options& all, actor_bridge& bridge) {
  auto& options = all.gateway;
  server_options result;
  result.cores = cores_for_http(all, runtime::cores_of_this_thread());
  result.bind = options.bind;
  result.port = options.port;
  result.threads = options.threads > 0 ? options.threads
                                       : std::max(1u, runtime::core_count() / 2);
  result.connections_max = options.connections_max;
  result.header_bytes_max = options.header_bytes_max;
  result.body_bytes_max = options.body_bytes_max;
  result.idle_timeout = milliseconds{options.idle_timeout_ms};
  result.watch = [&bridge] { bridge.expire(std::chrono::steady_clock::now()); };
  return result;
}

}  // namespace

gateway::gateway(bridge_targets targets, const config::options& options)
  : bridge_(std::move(targets), calls_max(options)),
    context_{bridge_, limits_from(options.orchestrator, options.gateway)},
    server_(routes_, server_options_from(options, bridge_)) {
  add_routes(options);
}

gateway::gateway(caf::actor_system& system, bridge_targets targets,
                 const config::options& options)
  : bridge_(system, std::move(targets), calls_max(options)),
    context_{bridge_, limits_from(options.orchestrator, options.gateway)},
    server_(routes_, server_options_from(options, bridge_)) {
  add_routes(options);
}

void gateway::add_routes(const config::options& options) {
  context_.request_timeout = milliseconds{options.gateway.request_timeout_ms};
  context_.upload_timeout =
    context_.request_timeout + milliseconds{options.store.model_check_timeout_ms};
  context_.load_timeout = milliseconds{options.gateway.load_timeout_ms};
  context_.body_bytes_max = options.gateway.body_bytes_max;
  context_.server_name = options.gateway.server_name;
  context_.wait_ms_max = options.gateway.wait_ms_max;
  context_.uploads_max = options.gateway.uploads_max;
  context_.result_bytes_max = options.gateway.body_bytes_max;
  context_.is_draining = [this] { return draining_.load(); };
  routes_.add_filter(refuse_foreign_origin);
  if (!options.gateway.restricted_apis.empty())
    routes_.add_filter(restrict_apis(options.gateway.restricted_apis));
  add_health_routes(routes_, context_);
  add_stats_routes(routes_, context_);
  add_inference_routes(routes_, context_);
  add_job_routes(routes_, context_);
  add_array_routes(routes_, context_);
  add_model_serving_routes(routes_, context_);
  add_repository_routes(routes_, context_);
  add_logging_routes(routes_, context_, options.log);
  add_node_routes(routes_, context_);
  add_model_routes(routes_, context_);
  add_metrics_routes(routes_, context_);
  add_placement_routes(routes_, context_);
  add_backup_routes(routes_, context_);
  add_event_routes(routes_, context_);
  add_fault_routes(routes_, context_);
}

gateway::~gateway() {
  stop();
}

runtime::child_spec gateway::child() const {
  return bridge_.child();
}

runtime::expected<std::uint16_t> gateway::start(caf::actor_system* system) {
  if (system != nullptr)
    context_.stuck_here = [system] { return runtime::stuck_now(*system); };
  return server_.start(system);
}

bool gateway::drain(std::chrono::steady_clock::time_point deadline) {
  draining_ = true;
  return server_.drain(deadline);
}

void gateway::stop() {
  draining_ = true;
  bridge_.stop();
  server_.stop();
}

}  // namespace dim::gateway
