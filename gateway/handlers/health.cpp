#include "gateway/handlers/health.hpp"

#include <algorithm>

#include "runtime/stuck_watch.hpp"

namespace dim::gateway {

namespace {

/// A probe wants to know now; an orchestrator that needs longer than this is as good as away.
constexpr std::chrono::milliseconds probe_timeout{2'000};

struct readiness {
  /// Why jobs can not be taken; empty when they can.
  std::vector<std::string> reasons;
  /// What does not stand against taking jobs, but against running them.
  std::vector<std::string> warnings;
  bool has_node = false;
};

/// What can be said without the cluster's status.
readiness judge(const handler_context& context, const std::vector<runtime::stuck_actor>& stuck) {
  readiness result;
  if (context.is_draining())
    result.reasons.push_back("the gateway is about to stop");
  for (auto& each : stuck)
    result.reasons.push_back("stuck: " + runtime::to_text(each));
  return result;
}

readiness judge(const handler_context& context, const runtime::failure& no_status) {
  auto result = judge(context, std::vector<runtime::stuck_actor>{});
  result.reasons.push_back(no_status.message);
  return result;
}

readiness judge(const handler_context& context,
                const runtime::expected<actors::cluster_status>& status) {
  if (!status)
    return judge(context, status.error());
  auto result = judge(context, std::vector<runtime::stuck_actor>{});
  if (status->read_only)
    result.reasons.push_back("the store is read-only: "
                             + std::string{to_string(status->store_health)});
  result.has_node = status->nodes_online + status->nodes_busy > 0;
  if (!result.has_node)
    result.warnings.push_back("no node is online");
  if (status->placement_paused)
    result.warnings.push_back("placement is paused");
  return result;
}

http_reply render_ready(const readiness& found) {
  auto is_ready = found.reasons.empty();
  json_writer out;
  out.begin_object();
  out.member("ready", is_ready);
  out.member("live", true);
  out.member("reasons", found.reasons);
  out.end_object();
  return json_reply(out.take(), is_ready ? 200 : 503);
}

/// Jobs wait for a node, a direct inference does not.
http_reply render_serving_ready(const readiness& found) {
  auto all = found;
  if (!all.has_node)
    all.reasons.push_back("no node is online");
  return render_ready(all);
}

http_reply render_health(const readiness& found) {
  auto is_ready = found.reasons.empty();
  json_writer out;
  out.begin_object();
  out.member("status", !is_ready ? "unavailable" : found.warnings.empty() ? "ok" : "degraded");
  out.member("live", true);
  out.member("ready", is_ready);
  out.member("reasons", found.reasons);
  out.member("warnings", found.warnings);
  out.end_object();
  return json_reply(out.take());
}

using render_function = http_reply (*)(const readiness&);

void probe_status(const handler_context& context, const exchange_ptr& exchange,
                  render_function render) {
  context.bridge.ask<actors::cluster_status>(
    exchange, actors::get_cluster_status{}, std::min(probe_timeout, context.request_timeout),
    [&context, exchange, render](const runtime::expected<actors::cluster_status>& status) {
      exchange->reply(render(judge(context, status)));
    });
}

void probe(const handler_context& context, const exchange_ptr& exchange, render_function render) {
  // First, and without a question: those who would answer it may be the ones that are stuck.
  if (auto stuck = context.stuck_here(); !stuck.empty()) {
    exchange->reply(render(judge(context, stuck)));
    return;
  }
  // The orchestrator may be another process.
  context.bridge.ask<runtime::stuck_actor_list>(
    exchange, runtime::find_stuck_actors{}, std::min(probe_timeout, context.request_timeout),
    [&context, exchange, render](const runtime::expected<runtime::stuck_actor_list>& found) {
      if (!found)
        exchange->reply(render(judge(context, found.error())));
      else if (!found->actors.empty())
        exchange->reply(render(judge(context, found->actors)));
      else
        probe_status(context, exchange, render);
    });
}

}  // namespace

void add_health_routes(router& routes, const handler_context& context) {
  auto say_live = [](exchange_ptr exchange) { exchange->reply(json_reply(R"({"live":true})")); };
  auto say_ready = [&context](exchange_ptr exchange) { probe(context, exchange, render_ready); };
  auto say_serving_ready = [&context](exchange_ptr exchange) {
    probe(context, exchange, render_serving_ready);
  };
  routes.add({"GET", "/health/live", say_live});
  routes.add({"GET", "/health/ready", say_ready});
  routes.add({"GET", "/v2/health/live", say_live, body_mode::buffered, "health"});
  routes.add({"GET", "/v2/health/ready", say_serving_ready, body_mode::buffered, "health"});
  routes.add({"GET", "/health",
              [&context](exchange_ptr exchange) { probe(context, exchange, render_health); }});
}

}  // namespace dim::gateway
