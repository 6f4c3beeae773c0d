#include "gateway/handlers/stats.hpp"

#include <algorithm>
#include <optional>

#include "gateway/inference_totals.hpp"
#include "gateway/node_json.hpp"
#include "gateway/openapi_document.hpp"

namespace dim::gateway {

namespace {

using runtime::expected;

/// Inferences whose times make the quantiles.
constexpr std::uint32_t newest_max = 1'000;
/// The totals of jobs are worth having without those of inference.
constexpr std::chrono::milliseconds router_timeout{2'000};

http_reply render(const actors::cluster_status& status,
                  const std::optional<inference_totals>& inferences) {
  json_writer out;
  write_status(out, status, inferences);
  return json_reply(out.take());
}

/// Adds what ROUTER knows to `status`, and answers.
void answer_with_inferences(const handler_context& context, const exchange_ptr& exchange,
                            const actors::cluster_status& status) {
  auto timeout = std::min(router_timeout, context.request_timeout);
  context.bridge.ask<actors::model_statistics_list>(
    exchange, actors::get_model_statistics{}, timeout,
    [&context, exchange, status, timeout](expected<actors::model_statistics_list> models) {
      if (!models)
        return exchange->reply(render(status, std::nullopt));
      context.bridge.ask<actors::inference_record_list>(
        exchange, actors::get_inference_records{{}, newest_max}, timeout,
        [exchange, status, models = std::move(*models)](
          expected<actors::inference_record_list> newest) {
          exchange->reply(render(
            status, sum_inferences(models, newest.value_or(actors::inference_record_list{}))));
        });
    });
}

void answer(const handler_context& context, const exchange_ptr& exchange) {
  context.bridge.ask<actors::cluster_status>(
    exchange, actors::get_cluster_status{}, context.request_timeout,
    [&context, exchange](expected<actors::cluster_status> status) {
      if (status)
        answer_with_inferences(context, exchange, *status);
      else
        exchange->reply(failure_reply(status.error()));
    });
}

}  // namespace

void add_stats_routes(router& routes, const handler_context& context) {
  routes.add({"GET", "/openapi.json", [](exchange_ptr exchange) {
                exchange->reply(json_reply(std::string{openapi_document}));
              }});
  for (auto pattern : {"/stats", "/api/v1/status"})
    routes.add(
      {"GET", pattern, [&context](exchange_ptr exchange) { answer(context, exchange); }});
}

}  // namespace dim::gateway
