#include "gateway/handlers/events.hpp"

#include <limits>

#include "gateway/execution_json.hpp"
#include "gateway/query_reader.hpp"

namespace dim::gateway {

namespace {

constexpr std::uint64_t limit_max = 1'000;

void list(const handler_context& context, const exchange_ptr& exchange) {
  query_reader query{exchange->request()};
  actors::read_events message;
  message.after =
    query.whole("after", 0, std::uint64_t{std::numeric_limits<std::int64_t>::max()}, 0);
  message.max = static_cast<std::uint32_t>(query.whole("limit", 1, limit_max, limit_max));
  if (auto checked = query.finish(); !checked) {
    exchange->reply(failure_reply(checked.error()));
    return;
  }
  answer_with<actors::event_list>(
    context, exchange, message, [after = message.after](const actors::event_list& found) {
      json_writer out;
      out.begin_object();
      out.key("events");
      out.begin_array();
      for (auto& each : found.events)
        write_event(out, each);
      out.end_array();
      out.member("next_after", found.events.empty() ? after : found.events.back().number);
      out.end_object();
      return json_reply(out.take());
    });
}

}  // namespace

void add_event_routes(router& routes, const handler_context& context) {
  routes.add(
    {"GET", "/api/v1/events", [&context](exchange_ptr exchange) { list(context, exchange); }});
}

}  // namespace dim::gateway
