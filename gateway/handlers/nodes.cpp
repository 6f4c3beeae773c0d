#include "gateway/handlers/nodes.hpp"

#include <utility>

#include "gateway/node_json.hpp"

namespace dim::gateway {

namespace {

void list(const handler_context& context, const exchange_ptr& exchange) {
  answer_with<actors::node_list>(context, exchange, actors::list_nodes{},
                                 [](const actors::node_list& found) {
                                   json_writer out;
                                   out.begin_object();
                                   out.key("nodes");
                                   out.begin_array();
                                   for (auto& each : found.nodes)
                                     write_node(out, each);
                                   out.end_array();
                                   out.end_object();
                                   return json_reply(out.take());
                                 });
}

http_reply render(const actors::node_record& node) {
  json_writer out;
  write_node(out, node);
  return json_reply(out.take());
}

void read(const handler_context& context, const exchange_ptr& exchange) {
  actors::get_node message{std::string{exchange->request().parameter("id")}};
  answer_with<actors::node_record>(context, exchange, std::move(message), render);
}

void manage(const handler_context& context, const exchange_ptr& exchange, actors::node_wish wish) {
  actors::manage_node message{std::string{exchange->request().parameter("id")}, wish};
  answer_with<actors::node_record>(context, exchange, std::move(message), render);
}

}  // namespace

void add_node_routes(router& routes, const handler_context& context) {
  routes.add(
    {"GET", "/api/v1/nodes", [&context](exchange_ptr exchange) { list(context, exchange); }});
  routes.add(
    {"GET", "/api/v1/nodes/{id}", [&context](exchange_ptr exchange) { read(context, exchange); }});
  constexpr std::pair<const char*, actors::node_wish> wishes[] = {
    {"quarantine", actors::node_wish::quarantine},
    {"release", actors::node_wish::release},
    {"drain", actors::node_wish::drain},
    {"undrain", actors::node_wish::undrain},
  };
  for (auto& [word, wish] : wishes)
    routes.add(
      {"POST", std::string{"/api/v1/nodes/{id}/"} + word,
       [&context, wish = wish](exchange_ptr exchange) { manage(context, exchange, wish); }});
}

}  // namespace dim::gateway
