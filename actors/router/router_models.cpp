// What ROUTER serves: what MODELS says, where its agents are, and how versions come and go.
#include <algorithm>
#include <memory>
#include <utility>

#include "actors/router/router.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::int64_t ms = 1'000'000;
/// The longest wait for what is served, when ROUTER has been started anew.
constexpr std::uint64_t catalogue_patience_ms = 10'000;
/// For an agent that is started in the background.
constexpr std::uint64_t spread_patience_ms = 120'000;
/// Beyond the time that a node was given.
constexpr std::uint64_t reply_patience_ms = 1'000;

/// A version that is not served yet can be forgotten.
void note_unprepared(served_route& route) {
  if (route.state == serving_state::loading)
    route.state = serving_state::unavailable;
}

}  // namespace

void router_state::ask_for_models() {
  asking_models = true;
  calls.call(self, arguments.models.get(), catalogue_patience_ms, {}, get_served_models{},
             [this](runtime::expected<served_models> reply) {
               asking_models = false;
               if (reply)
                 return take_served(*reply);
               runtime::failure why{error_code::unavailable,
                                    "it is not known yet which models are served: " +
                                      reply.error().message,
                                    {}};
               for (auto& each : std::exchange(unknown, {}))
                 refuse(each.asker, each.request, nullptr, each.arrived_ns, why);
             });
}

void router_state::wait_for_models(run_inference& request, inference_asker asker,
                                   std::int64_t arrived_ns) {
  if (unknown.size() >= arguments.options.outstanding_max)
    return refuse(asker, request, nullptr, arrived_ns,
                  {error_code::overloaded, "too many requests wait for the catalogue", {}});
  unknown.push_back({std::move(request), std::move(asker), arrived_ns});
  if (!asking_models)
    ask_for_models();
}

void router_state::answer_unknown() {
  for (auto& each : std::exchange(unknown, {}))
    begin(each.request, each.asker, each.arrived_ns);
  send_parcels();
}

void router_state::take_served(const served_models& news) {
  served.replace(news);
  knows_models = true;
  answer_unknown();
  prewarm();
}

void router_state::set_agents_at(const route_pointer& route, std::size_t place, bool wanted,
                                 std::uint64_t time_left_ms, agents_reply reply,
                                 bool only_spare) {
  auto& entry = *route->entry;
  auto& share = route->shares.at(place);
  share.warming = wanted;
  if (!wanted)
    share.warm = share.resting = false;
  set_agents wish{entry.name, entry.version, entry.digest, entry.revision,
                  wanted,     time_left_ms,  only_spare};
  calls.call(self, handles[place], time_left_ms + reply_patience_ms, table.id_of(place),
             std::move(wish),
             [this, route, place, wanted, only_spare, reply](runtime::expected<agents_set> result) {
               auto& told = route->shares.at(place);
               told.warming = false;
               // Where nothing was spare, requests go on as before.
               if (result || !only_spare) {
                 told.warm = wanted && result.has_value() && table.is_usable(place);
                 told.resting = false;
               }
               if (reply)
                 reply(result);
             });
}

void router_state::spread(const route_pointer& route) {
  route->spread_at = node_changes;
  for (auto place : table.cold_nodes(route->shares, arguments.options.nodes_per_model_max))
    set_agents_at(route, place, true, spread_patience_ms, {});
}

caf::typed_response_promise<model_prepared> router_state::prepare(const prepare_model& wish) {
  auto promise = self->make_response_promise<model_prepared>();
  auto route = served.route_of(wish.model);
  std::vector<std::size_t> places;
  auto add_those = [&](auto is_meant) {
    for (std::size_t place = 0; place < table.size(); ++place)
      if (table.is_usable(place) && is_meant(route->shares.at(place)))
        places.push_back(place);
  };
  // An agent that was there may have been idle for too long: whoever still has it says so at once.
  add_those([](const route_shares::share& each) { return each.warm; });
  if (places.empty())
    places = table.cold_nodes(route->shares, arguments.options.nodes_per_model_max);
  if (places.empty())
    add_those([](const route_shares::share& each) { return each.warming; });
  if (places.empty()) {
    note_unprepared(*route);
    promise.deliver(runtime::to_error(error_code::no_nodes, "no node takes direct inferences now"));
    return promise;
  }
  // The first that serves answers; the last that does not, when none does.
  auto left = std::make_shared<std::size_t>(places.size());
  for (auto place : places) {
    auto note = [this, promise, left, place,
                 route](const runtime::expected<agents_set>& reply) mutable {
      if (!promise.pending())
        return;
      --*left;
      if (reply) {
        promise.deliver(model_prepared{table.id_of(place)});
      } else if (*left == 0) {
        note_unprepared(*route);
        promise.deliver(runtime::to_error(reply.error()));
      }
    };
    set_agents_at(route, place, true, wish.time_left_ms, std::move(note));
  }
  route->spread_at = node_changes;
  return promise;
}

caf::typed_response_promise<model_retired> router_state::retire(const retire_model& wish) {
  auto promise = self->make_response_promise<model_retired>();
  auto route = served.find_file(wish.model, wish.version, wish.digest, wish.revision);
  if (!route) {
    promise.deliver(model_retired{});
    return promise;
  }
  auto left = static_cast<std::int64_t>(std::min<std::uint64_t>(wish.time_left_ms, 1u << 30));
  retiring.push_back({route, promise, now_ns() + left * ms});
  watch_retiring();
  if (!retiring.empty())
    set_alarm(now_ns() + grain_ns);
  return promise;
}

void router_state::watch_retiring() {
  auto now = now_ns();
  auto is_over = [now](const retiring_route& each) {
    return each.route->outstanding == 0 || now >= each.deadline_ns;
  };
  std::vector<retiring_route> over;
  for (auto& each : retiring)
    if (is_over(each))
      over.push_back(each);
  std::erase_if(retiring, is_over);
  for (auto& each : over)
    stop_agents(std::move(each));
}

void router_state::stop_agents(retiring_route retired) {
  auto& route = retired.route;
  auto left = std::make_shared<std::size_t>(1);
  auto end_one = [left, promise = retired.promise, route]() mutable {
    if (--*left > 0)
      return;
    note_unprepared(*route);
    promise.deliver(model_retired{route->outstanding});
  };
  auto time_left_ms =
    static_cast<std::uint64_t>(std::max<std::int64_t>(0, retired.deadline_ns - now_ns()) / ms);
  for (std::size_t place = 0; place < table.size(); ++place) {
    auto& share = route->shares.at(place);
    if (!handles[place] || (!share.warm && !share.warming))
      continue;
    ++*left;
    set_agents_at(route, place, false, time_left_ms,
                  [end_one](const runtime::expected<agents_set>&) mutable { end_one(); });
  }
  end_one();
}

caf::result<model_statistics_list>
router_state::statistics(const get_model_statistics& wish) const {
  auto list = served.statistics(wish.model, wish.version);
  if (!list)
    return runtime::to_error(list.error());
  return std::move(*list);
}

}  // namespace dim::actors
