#include "runtime/directory.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "runtime/metrics.hpp"
#include "runtime/stuck_watch.hpp"

namespace dim::runtime {

namespace {

constexpr std::uint64_t describe_timeout_ms = 1'000;

actor_info info_of(caf::actor_system& system, const actor_line& line, std::uint32_t depth) {
  auto now = clock_ns(system);
  actor_info info;
  info.id = line.id;
  info.name = line.name;
  info.parent = line.parent;
  info.depth = depth;
  info.age_ms = (now - line.started_at_ns) / 1'000'000;
  info.mailbox = line.mailbox;
  info.mailbox_peak = line.mailbox_peak;
  info.handled = line.handled;
  info.busy_with = name_of(system, line.current_type);
  info.busy_ms = line.current_type == 0 ? 0 : (now - line.busy_since_ns) / 1'000'000;
  return info;
}

}  // namespace

std::vector<std::pair<std::uint32_t, actor_line>> arrange_tree(std::vector<actor_line> lines) {
  std::set<std::uint64_t> ids;
  for (auto& line : lines)
    ids.insert(line.id);
  std::map<std::uint64_t, std::vector<actor_line>> children;
  for (auto& line : lines) {
    if (!ids.contains(line.parent))
      line.parent = 0;
    children[line.parent].push_back(line);
  }
  std::vector<std::pair<std::uint32_t, actor_line>> result;
  // Last in, first out: what is put in last, in reverse order, comes out next.
  std::vector<std::pair<std::uint32_t, actor_line>> open;
  auto put_children = [&](std::uint64_t parent, std::uint32_t depth) {
    auto& list = children[parent];
    for (auto line = list.rbegin(); line != list.rend(); ++line)
      open.emplace_back(depth, *line);
  };
  put_children(0, 0);
  while (!open.empty()) {
    auto next = open.back();
    open.pop_back();
    result.push_back(next);
    put_children(next.second.id, next.first + 1);
  }
  return result;
}

actor_list directory_state::list() const {
  auto& system = self->system();
  actor_list result;
  for (auto& [depth, line] : arrange_tree(context_of(system).actors.lines()))
    result.actors.push_back(info_of(system, line, depth));
  return result;
}

caf::typed_response_promise<actor_details> directory_state::inspect_one(std::uint64_t id) {
  auto promise = self->make_response_promise<actor_details>();
  auto& system = self->system();
  auto all = list();
  auto found = std::find_if(all.actors.begin(), all.actors.end(),
                            [id](const actor_info& each) { return each.id == id; });
  auto vitals = context_of(system).actors.vitals(id);
  if (found == all.actors.end() || !vitals) {
    promise.deliver(to_error(error_code::not_found, "no actor " + std::to_string(id)));
    return promise;
  }
  actor_details details;
  details.info = *found;
  auto now = clock_ns(system);
  for (auto& entry : vitals->trace.entries())
    details.trace.push_back({name_of(system, entry.type), (now - entry.at_ns) / 1'000'000});
  calls.call(self, context_of(system).actors.find(id), describe_timeout_ms, {}, describe_actor{},
             [promise, details](expected<actor_description> reply) mutable {
               details.answered = reply.has_value();
               if (reply)
                 details.state = std::move(reply->state);
               promise.deliver(std::move(details));
             });
  return promise;
}

directory_actor::behavior_type directory(directory_state::self_pointer self) {
  auto& state = self->state;
  return {
    [&state](list_actors) { return state.list(); },
    [&state](const inspect_actor& message) { return state.inspect_one(message.id); },
    [&state](find_stuck_actors) { return stuck_actor_list{stuck_now(state.self->system())}; },
    [](get_process_metrics) {
      return process_metrics{process_number(), metrics_text(metric_part::without_gateway)};
    },
  };
}

}  // namespace dim::runtime
