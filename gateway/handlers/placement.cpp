#include "gateway/handlers/placement.hpp"

#include "gateway/json_reader.hpp"

namespace dim::gateway {

namespace {

struct placement_draft {
  std::optional<bool> paused;
};

constexpr member_reader<placement_draft> members[] = {
  {"paused", [](json_reader& reader, json_value value, const json_path& path,
                placement_draft& draft) { draft.paused = reader.read_flag(value, path); }},
};

void pause(const handler_context& context, const exchange_ptr& exchange) {
  problem_list problems{context.jobs.problems_max};
  json_reader reader{problems};
  placement_draft draft;
  reader.read_document<placement_draft>(exchange->request().body, members, draft);
  if (problems.empty() && !draft.paused)
    problems.add(json_path{}.member("paused"), "missing");
  if (!problems.empty()) {
    exchange->reply(
      failure_reply({runtime::error_code::bad_input, "the request has problems", problems.take()}));
    return;
  }
  answer_with<actors::pause_placement>(context, exchange, actors::pause_placement{*draft.paused},
                                       [](const actors::pause_placement& state) {
                                         json_writer out;
                                         out.begin_object();
                                         out.member("paused", state.paused);
                                         out.end_object();
                                         return json_reply(out.take());
                                       });
}

}  // namespace

void add_placement_routes(router& routes, const handler_context& context) {
  routes.add(
    {"POST", "/api/v1/placement", [&context](exchange_ptr exchange) { pause(context, exchange); }});
}

}  // namespace dim::gateway
