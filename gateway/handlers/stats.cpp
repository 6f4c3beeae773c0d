#include "gateway/handlers/stats.hpp"

#include "gateway/node_json.hpp"

namespace dim::gateway {

namespace {

http_reply render(const actors::cluster_status& status) {
  json_writer out;
  write_status(out, status);
  return json_reply(out.take());
}

}  // namespace

void add_stats_routes(router& routes, const handler_context& context) {
  for (auto pattern : {"/stats", "/api/v1/status"})
    routes.add({"GET", pattern, [&context](exchange_ptr exchange) {
                  answer_with<actors::cluster_status>(context, exchange,
                                                      actors::get_cluster_status{}, render);
                }});
}

}  // namespace dim::gateway
