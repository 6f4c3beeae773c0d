#include "gateway/handlers/faults.hpp"

#include <limits>
#include <type_traits>

#include "gateway/json_reader.hpp"

namespace dim::gateway {

namespace {

constexpr std::size_t pattern_bytes_max = 255;
constexpr std::size_t message_names_max = 100;
constexpr std::int64_t delay_ms_max = 600'000;

struct fault_draft {
  std::optional<actors::fault_kind> kind;
  actors::fault_order order;
};

template <std::string actors::fault_order::*Member>
void read_text(json_reader& reader, json_value value, const json_path& path, fault_draft& draft) {
  if (auto text = reader.read_text(value, path, pattern_bytes_max))
    draft.order.*Member = std::move(*text);
}

template <auto Member, std::int64_t Max>
void read_whole(json_reader& reader, json_value value, const json_path& path, fault_draft& draft) {
  using whole = std::remove_reference_t<decltype(draft.order.*Member)>;
  if (auto number = reader.read_whole(value, path, 0, Max))
    draft.order.*Member = static_cast<whole>(*number);
}

template <runtime::real actors::fault_order::*Member>
void read_number(json_reader& reader, json_value value, const json_path& path, fault_draft& draft) {
  if (auto number = reader.read_number(value, path))
    draft.order.*Member = *number;
}

void read_action(json_reader& reader, json_value value, const json_path& path, fault_draft& draft) {
  auto text = reader.read_text(value, path, pattern_bytes_max);
  if (!text)
    return;
  draft.kind = actors::fault_kind_from(*text);
  if (!draft.kind)
    reader.problems().add_mismatch(path, "an action, such as \"kill\" or \"drop\"",
                                   in_quotes(*text));
}

void read_messages(json_reader& reader, json_value value, const json_path& path,
                   fault_draft& draft) {
  auto& names = draft.order.messages;
  reader.read_array(value, path, [&](json_value element, const json_path& here) {
    auto text = reader.read_text(element, here, pattern_bytes_max);
    if (text && names.size() < message_names_max)
      names.push_back(std::move(*text));
    else if (text)
      reader.problems().add(here, "there are too many names");
  });
}

constexpr std::int64_t any_whole = std::numeric_limits<std::int64_t>::max();

constexpr member_reader<fault_draft> members[] = {
  {"action", read_action},
  {"target", read_text<&actors::fault_order::target>},
  {"peer", read_text<&actors::fault_order::peer>},
  {"one_way",
   [](json_reader& reader, json_value value, const json_path& path, fault_draft& draft) {
     draft.order.one_way = reader.read_flag(value, path).value_or(false);
   }},
  {"messages", read_messages},
  {"lasts_ms", read_whole<&actors::fault_order::lasts_ms, any_whole>},
  {"probability", read_number<&actors::fault_order::probability>},
  {"delay_min_ms", read_whole<&actors::fault_order::delay_min_ms, delay_ms_max>},
  {"delay_max_ms", read_whole<&actors::fault_order::delay_max_ms, delay_ms_max>},
  {"factor", read_number<&actors::fault_order::factor>},
  {"seed", read_whole<&actors::fault_order::seed, any_whole>},
};

void write_order(json_writer& out, const actors::fault_order& order) {
  out.member("id", order.id);
  out.member("action", to_string(order.kind));
  out.member("target", order.target);
  out.text_or_null("peer", order.peer);
  out.member("one_way", order.one_way);
  out.member("messages", order.messages);
  out.member("lasts_ms", order.lasts_ms);
  out.member("probability", static_cast<double>(order.probability));
  out.member("delay_min_ms", order.delay_min_ms);
  out.member("delay_max_ms", order.delay_max_ms);
  out.member("factor", static_cast<double>(order.factor));
  out.member("seed", order.seed);
}

http_reply render_list(const actors::fault_list& found) {
  json_writer out;
  out.begin_object();
  out.key("processes");
  out.begin_array();
  for (auto& each : found.processes) {
    out.begin_object();
    out.member("names", each.names);
    out.member("pid", each.pid);
    out.member("agents", each.agents);
    out.end_object();
  }
  out.end_array();
  out.key("faults");
  out.begin_array();
  for (auto& each : found.active) {
    out.begin_object();
    write_order(out, each.order);
    out.member("left_ms", each.left_ms);
    out.member("strikes", each.strikes);
    out.end_object();
  }
  out.end_array();
  out.end_object();
  return json_reply(out.take());
}

void inject(const handler_context& context, const exchange_ptr& exchange) {
  problem_list problems{context.jobs.problems_max};
  json_reader reader{problems};
  fault_draft draft;
  reader.read_document<fault_draft>(exchange->request().body, members, draft);
  if (problems.empty() && !draft.kind)
    problems.add(json_path{}.member("action"), "missing");
  if (!problems.empty()) {
    exchange->reply(
      failure_reply({runtime::error_code::bad_input, "the request has problems", problems.take()}));
    return;
  }
  draft.order.kind = *draft.kind;
  answer_with<actors::fault_injected>(context, exchange,
                                      actors::inject_fault{std::move(draft.order)},
                                      [](const actors::fault_injected& made) {
                                        json_writer out;
                                        out.begin_object();
                                        out.member("id", made.id);
                                        out.member("struck", made.struck);
                                        out.end_object();
                                        return json_reply(out.take(), 201);
                                      });
}

void clear(const handler_context& context, const exchange_ptr& exchange) {
  actors::clear_faults message{std::string{exchange->request().parameter("id")}};
  answer_with<actors::fault_list>(context, exchange, std::move(message), render_list);
}

}  // namespace

void add_fault_routes(router& routes, const handler_context& context) {
  auto add = [&](const char* method, const char* pattern, auto handle) {
    routes.add(
      {method, pattern, [&context, handle](exchange_ptr exchange) { handle(context, exchange); }});
  };
  add("POST", "/api/v1/faults", inject);
  add("GET", "/api/v1/faults", [](auto& shared, auto& exchange) {
    answer_with<actors::fault_list>(shared, exchange, actors::list_faults{}, render_list);
  });
  add("DELETE", "/api/v1/faults", clear);
  add("DELETE", "/api/v1/faults/{id}", clear);
}

}  // namespace dim::gateway
