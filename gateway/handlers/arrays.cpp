#include "gateway/handlers/arrays.hpp"

#include "gateway/array_json.hpp"

namespace dim::gateway {

namespace {

constexpr std::size_t id_max = 64;

/// Asks with the id, or the beginning of one, in the path; answers with the array.
template <class Message>
void answer_with_array(const handler_context& context, const exchange_ptr& exchange) {
  std::string id{exchange->request().parameter("id")};
  if (id.size() > id_max) {
    exchange->reply(failure_reply({runtime::error_code::not_found, "no such array", {}}));
    return;
  }
  answer_with<actors::array_view>(context, exchange, Message{std::move(id)},
                                  [](const actors::array_view& array) {
                                    json_writer out;
                                    write_array(out, array);
                                    return json_reply(out.take());
                                  });
}

}  // namespace

void add_array_routes(router& routes, const handler_context& context) {
  auto add = [&](const char* method, request_handler handle) {
    routes.add(
      {method, "/api/v1/arrays/{id}", std::move(handle), body_mode::buffered, "inference"});
  };
  add("GET", [&context](exchange_ptr exchange) {
    answer_with_array<actors::get_array>(context, exchange);
  });
  add("DELETE", [&context](exchange_ptr exchange) {
    answer_with_array<actors::cancel_array>(context, exchange);
  });
}

}  // namespace dim::gateway
