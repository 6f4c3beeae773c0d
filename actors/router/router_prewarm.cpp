// Popular versions, and how ROUTER has them started before they are asked for.
#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/router/router.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

/// Between two looks at what was asked for, each of which is stored.
constexpr std::chrono::minutes count_pause{1};
/// Between two looks for a node that has become idle.
constexpr std::chrono::seconds idle_pause{1};
constexpr std::uint64_t start_patience_ms = 120'000;
constexpr std::uint64_t store_patience_ms = 10'000;
constexpr std::size_t tried_max = 4'096;

std::string file_of(const model_entry& entry) {
  return entry.name + ":" + entry.version + "@" + entry.digest + "+"
         + std::to_string(entry.revision);
}

/// Whether the node has an agent of this version, or may have one that it does not name.
bool has_agent(const node_load& load, const model_entry& entry) {
  auto has = [&entry](const device_load& device) {
    return device.agents.size() >= agents_named_max
           || std::any_of(device.agents.begin(), device.agents.end(),
                          [&entry](const agent_facts& each) {
                            return each.model == entry.name && each.version == entry.version;
                          });
  };
  return std::any_of(load.devices.begin(), load.devices.end(), has);
}

}  // namespace

void router_state::start_counting() {
  if (arguments.options.prewarm_models == 0)
    return;
  popularity = actors::popularity{arguments.options.popularity_half_life_ms};
  self->delayed_send(self, count_pause, popularity_due{});
  auto queries = arguments.queries.get();
  if (!queries) {
    knows_popularity = true;
    return;
  }
  calls.call(self, queries, store_patience_ms, {}, load_popularity{},
             [this](runtime::expected<popular_models> stored) {
               knows_popularity = true;
               if (stored)
                 popularity.restore(*stored);
               prewarm();
             });
}

void router_state::count_popularity() {
  self->delayed_send(self, count_pause, popularity_due{});
  auto now_ms = now_ns() / 1'000'000;
  popularity.fade(now_ms);
  for (auto& [key, route] : served.routes()) {
    auto& counts = *route->counts;
    popularity.note_total(route->entry->name, route->entry->version, counts.success.count, now_ms);
  }
  keep_popularity();
  look_again();
  prewarm();
}

void router_state::keep_popularity() {
  auto store = arguments.store.get();
  // Before it is known what was stored, nothing is put in its place.
  if (!store || !knows_popularity || std::exchange(is_keeping, true))
    return;
  auto news = popularity.best(popularity::names_max);
  if (news == kept) {
    is_keeping = false;
    return;
  }
  commit_changes commit;
  commit.changes.push_back(change_for_popularity(news));
  calls.call(self, store, store_patience_ms, {}, std::move(commit),
             [this, news = std::move(news)](runtime::expected<commit_result> stored) mutable {
               is_keeping = false;
               // One that was refused is followed by another in a minute; STORE tells why.
               if (stored)
                 kept = std::move(news);
             });
}

std::vector<route_pointer> router_state::popular_routes() const {
  std::vector<route_pointer> routes;
  for (auto& each : popularity.best(popularity::names_max).models) {
    if (routes.size() == arguments.options.prewarm_models)
      break;
    auto route = served.find(each.model, each.version);
    if (route && (*route)->entry->name == each.model
        && (*route)->entry->spec.kind != models::model_kind::ensemble)
      routes.push_back(std::move(*route));
  }
  return routes;
}

void router_state::welcome(std::size_t place) {
  std::erase_if(tried, [place](const auto& each) { return each.first.first == place; });
  prewarm();
}

void router_state::note_agents(std::size_t place, const node_load& load) {
  if (arguments.options.prewarm_models == 0)
    return;
  for (auto& [key, route] : served.routes()) {
    auto& share = route->shares.at(place);
    share.resting =
      share.warm && !share.warming && share.outstanding == 0 && !has_agent(load, *route->entry);
  }
}

void router_state::look_again() {
  for (auto& route : popular_routes()) {
    auto asked = route->counts->success.count;
    std::erase_if(tried, [file = file_of(*route->entry), asked](const auto& each) {
      return each.first.second == file && each.second != asked;
    });
  }
}

std::optional<std::size_t> router_state::idle_node_for(const route_pointer& route) {
  for (auto place : table.spare_nodes(route->shares, arguments.options.nodes_per_model_max)) {
    if (tried.contains({place, file_of(*route->entry)}))
      continue;
    if (table.outstanding(place) == 0)
      return place;
    await_idle();
  }
  return std::nullopt;
}

void router_state::prewarm() {
  if (arguments.options.prewarm_models == 0 || !knows_models || !knows_popularity || is_prewarming)
    return;
  for (auto& route : popular_routes())
    if (auto place = idle_node_for(route))
      return start_early(route, *place);
}

void router_state::start_early(const route_pointer& route, std::size_t place) {
  is_prewarming = true;
  if (tried.size() >= tried_max)
    tried.clear();
  auto key = std::pair{place, file_of(*route->entry)};
  tried.insert_or_assign(key, route->counts->success.count);
  auto what = route->entry->name + ":" + route->entry->version + " on " + table.id_of(place);
  auto note = [this, what, key](const runtime::expected<agents_set>& reply) {
    is_prewarming = false;
    if (reply) {
      ++prewarmed;
      last_prewarmed = what;
      runtime::log(runtime::log_level::info, name, "started a popular model", {{"model", what}});
    } else if (reply.error().code == error_code::overloaded) {
      found_busy.push_back(key);
      await_idle();
    }
    prewarm();
  };
  set_agents_at(route, place, true, start_patience_ms, std::move(note), true);
}

void router_state::await_idle() {
  if (!std::exchange(awaits_idle, true))
    self->delayed_send(self, idle_pause, prewarm_due{});
}

void router_state::look_for_idle() {
  awaits_idle = false;
  for (auto& key : std::exchange(found_busy, {}))
    tried.erase(key);
  prewarm();
}

}  // namespace dim::actors
