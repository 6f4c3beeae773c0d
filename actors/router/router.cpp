// The face of ROUTER: its behaviour, admission, nodes, and its clock.
#include "actors/router/router.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "actors/router/inference_check.hpp"
#include "actors/router/inference_counts.hpp"
#include "actors/router/record_writer.hpp"
#include "actors/type_ids.hpp"
#include "models/tensor_bytes.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::int64_t ms = 1'000'000;
/// So many records are written together, or those of so long a time.
constexpr std::size_t written_together = 512;
constexpr std::int64_t write_pause_ns = 250 * ms;
/// Messages to WRITER at a time. While the disk is slow the records wait in the ring, which is
/// bounded.
constexpr std::uint32_t writing_max = 2;
// Longer deadlines are cut, so that sums of times can not overflow.
constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;

bool takes_work(node_state state) {
  return state == node_state::online || state == node_state::busy;
}

/// Slots times reputation: a node that is never right is still worth something.
double worth_of(const node_record& record) {
  constexpr double least = 0.05;
  std::uint32_t slots = 0;
  for (auto& device : record.facts.devices)
    slots += device.slots;
  double reputation = record.reputation;
  return std::max(1u, slots) * std::clamp(reputation / 100, least, 2.0);
}

}  // namespace

router_state::router_state(self_pointer pointer)
  : self(pointer), table(balance_strategy::least_outstanding, 0), records(0, false),
    popularity(config::router_options{}.popularity_half_life_ms) {
}

router_state::~router_state() {
  auto tell = [](inference_asker& asker) {
    inference_done ended;
    ended.error = {error_code::unavailable, "the router has ended", {}};
    if (asker.group)
      asker.group->add({asker.number, std::move(ended)});
    else
      asker.alone.deliver(std::move(ended));
  };
  for (auto& [number, each] : flights)
    tell(each.asker);
  for (auto& [number, each] : ensembles)
    tell(each.asker);
  for (auto& each : unknown)
    tell(each.asker);
  for (auto& each : retiring)
    each.promise.deliver(model_retired{each.route->outstanding});
  if (records.unwritten() > 0)
    caf::anon_send(writer, write_records{records.take_unwritten()});
}

void router_state::initialise(router_arguments values) {
  arguments = std::move(values);
  auto& options = arguments.options;
  auto seed = runtime::context_of(self->home_system()).seed + self->id();
  table = route_table{balance_strategy_from(options.strategy), seed};
  auto writes = options.record_file_bytes_max > 0 && !options.record_file.empty();
  answers = answer_cache{arguments.cache_bytes};
  records = record_ring{options.records_max, writes};
  if (writes)
    writer = runtime::spawn_detached(
      self->home_system(), *self, record_writer,
      record_writer_arguments{options.record_file, options.record_file_bytes_max});
  ask_for_models();
  start_counting();
}

caf::typed_response_promise<inference_done> router_state::accept(run_inference& request) {
  auto promise = self->make_response_promise<inference_done>();
  begin(request, {promise, {}, 0}, now_ns());
  self->finish_with_others();
  return promise;
}

caf::result<inferences_done> router_state::accept(run_inferences& group) {
  if (group.requests.empty())
    return inferences_done{};
  auto answers =
    std::make_shared<runtime::answer_group<inferences_done>>(*self, group.requests.size());
  auto now = now_ns();
  for (auto& each : group.requests)
    begin(each.request, {{}, answers, each.number}, now);
  self->finish_with_others();
  return answers->promise();
}

void router_state::after_others() {
  send_parcels();
  ready.send(*self);
}

void router_state::answer(inference_asker& asker, inference_done done) {
  if (!asker.group) {
    asker.alone.deliver(std::move(done));
    return;
  }
  auto bytes = models::bytes_of(done.outputs);
  if (ready.add(*self, asker.group, {asker.number, std::move(done)}, bytes))
    self->finish_behind_others();
}

void router_state::begin(run_inference& request, inference_asker asker,
                         std::int64_t arrived_ns) {
  auto found = served.find(request.model, request.version);
  if (!found) {
    if (!knows_models)
      return wait_for_models(request, std::move(asker), arrived_ns);
    return refuse(asker, request, nullptr, arrived_ns, std::move(found.error()));
  }
  auto& route = *found;
  auto& options = arguments.options;
  if (flights.size() >= options.outstanding_max ||
      route->outstanding >= options.outstanding_per_model_max)
    return refuse(asker, request, route, arrived_ns,
                  {error_code::overloaded,
                   "Exceeds maximum queue size: too many requests are under way", {}});
  if (request.time_left_ms == 0)
    return refuse(asker, request, route, arrived_ns,
                  {error_code::expired, "no time was left when the request came", {}});
  if (auto problem = check_inference(route->entry->spec, request);
      problem.code != error_code::none)
    return refuse(asker, request, route, arrived_ns, std::move(problem));
  std::string cache_key;
  if (answer_from_cache(request, asker, route, arrived_ns, cache_key))
    return;
  if (route->entry->spec.kind == models::model_kind::ensemble)
    return begin_ensemble(request, std::move(asker), route, arrived_ns, std::move(cache_key));
  auto place = table.choose(route->shares, std::nullopt);
  if (!place)
    return refuse(asker, request, route, arrived_ns,
                  {error_code::unavailable, "no node takes direct inferences now", {}});
  auto number = ++last_number;
  if (!request.request_id.empty())
    numbers[request.request_id] = number;
  auto left = static_cast<std::int64_t>(std::min(request.time_left_ms, time_left_max_ms));
  flight entry;
  entry.request = std::move(request);
  entry.asker = std::move(asker);
  entry.route = route;
  entry.started_ns = arrived_ns;
  auto deadline_ns = arrived_ns + left * ms;
  entry.deadline_ns = deadline_ns;
  entry.place = *place;
  entry.cache_key = std::move(cache_key);
  ++route->outstanding;
  send(number, flights.emplace(number, std::move(entry)).first->second);
  if (route->spread_at != node_changes)
    spread(route);
  set_alarm(deadline_ns);
}

void router_state::refuse(inference_asker& asker, const run_inference& request,
                          const route_pointer& route, std::int64_t arrived_ns,
                          runtime::failure error) {
  flight what;
  what.request.request_id = request.request_id;
  what.request.model = request.model;
  what.request.version = request.version;
  what.started_ns = arrived_ns;
  what.place = table.size();
  what.route = route;
  infer_result result;
  result.error = error;
  record(what, result, now_ns());
  inference_done reply;
  reply.error = std::move(error);
  if (route) {
    reply.model = route->entry->name;
    reply.version = route->entry->version;
  }
  answer(asker, std::move(reply));
}

void router_state::withdraw(const std::string& request_id) {
  auto found = numbers.find(request_id);
  if (found != numbers.end() && ensembles.contains(found->second))
    return end_ensemble(found->second, {error_code::cancelled, "the caller withdrew it", {}});
  if (found != numbers.end()) {
    abandon(flights.find(found->second), error_code::cancelled, "the caller withdrew it");
    return;
  }
  auto waits = std::find_if(unknown.begin(), unknown.end(), [&](const waiting_request& each) {
    return each.request.request_id == request_id;
  });
  if (waits == unknown.end())
    return;
  refuse(waits->asker, waits->request, nullptr, waits->arrived_ns,
         {error_code::cancelled, "the caller withdrew it", {}});
  unknown.erase(waits);
}

void router_state::update_node(const node_updated& news) {
  auto place = table.place_of(news.record.facts.id);
  if (place >= handles.size()) {
    handles.resize(place + 1);
    incarnations.resize(place + 1);
  }
  auto usable = news.handle && takes_work(news.record.state);
  auto is_new =
    usable && (!table.is_usable(place) || incarnations[place] != news.record.incarnation);
  if (is_new)
    ++node_changes;
  if (incarnations[place] != news.record.incarnation)
    for (auto& [key, route] : served.routes())
      route->shares.at(place).warm = route->shares.at(place).resting = false;
  handles[place] = news.handle;
  incarnations[place] = news.record.incarnation;
  table.set_node(place, usable, worth_of(news.record));
  note_agents(place, news.record.load);
  if (is_new)
    welcome(place);
}

void router_state::lose_node(const node_lost& news) {
  // One that has not told of itself since ROUTER was started anew has nothing here to lose.
  auto known = table.known_place_of(news.node_id);
  if (!known || incarnations[*known] != news.incarnation)
    return;
  auto place = *known;
  handles[place] = nullptr;
  table.set_node(place, false, 1);
  for (auto& [key, route] : served.routes())
    route->shares.at(place).forget_agents();
  runtime::failure reason{error_code::node_lost, "the node is gone: " + news.reason, {}};
  calls.fail_node(news.node_id, reason);
  std::vector<std::uint64_t> lost;
  for (auto& [number, each] : flights)
    if (each.place == place)
      lost.push_back(number);
  std::sort(lost.begin(), lost.end());
  for (auto number : lost) {
    auto found = flights.find(number);
    if (found == flights.end())
      continue;
    infer_result result;
    result.error = reason;
    take_result(number, result);
  }
  send_parcels();
}

void router_state::look_at_clock(std::int64_t alarm_ns) {
  alarm.fire(alarm_ns);
  auto now = now_ns();
  std::vector<std::uint64_t> late;
  for (auto& [number, each] : flights)
    if (now >= each.deadline_ns)
      late.push_back(number);
  std::sort(late.begin(), late.end());
  for (auto number : late)
    abandon(flights.find(number), error_code::timeout, "Request timeout expired");
  watch_retiring();
  if (records.unwritten() > 0 && now >= write_at_ns)
    write_records_out();
  auto next_ns = std::numeric_limits<std::int64_t>::max();
  for (auto& [number, each] : flights)
    next_ns = std::min(next_ns, each.deadline_ns);
  if (!retiring.empty())
    next_ns = std::min(next_ns, now + grain_ns);
  if (records.unwritten() > 0)
    next_ns = std::min(next_ns, write_at_ns);
  if (next_ns < std::numeric_limits<std::int64_t>::max())
    set_alarm(next_ns);
}

void router_state::keep_record(inference_record record) {
  auto is_first = records.unwritten() == 0;
  records.add(std::move(record));
  if (is_first && records.unwritten() > 0) {
    write_at_ns = now_ns() + write_pause_ns;
    set_alarm(write_at_ns);
  } else if (records.unwritten() >= written_together) {
    write_records_out();
  }
}

void router_state::write_records_out() {
  write_at_ns = now_ns() + write_pause_ns;
  if (writing.value() >= writing_max)
    return;
  self->send(writer, write_records{records.take_unwritten(), runtime::work_ticket{writing}});
}

void router_state::set_alarm(std::int64_t due_ns) {
  auto now = now_ns();
  if (auto at = alarm.set(due_ns, now))
    self->delayed_send(self, std::chrono::nanoseconds{*at - now}, router_due{*at});
}

std::string router_state::describe() const {
  return "routes " + std::to_string(served.routes().size()) + ", nodes " +
         std::to_string(table.size()) + ", under way " + std::to_string(flights.size()) +
         ", done " + std::to_string(done) + ", failed " + std::to_string(failed) + ", retried " +
         std::to_string(retried) + ", waiting for the catalogue " +
         std::to_string(unknown.size()) + ", prewarmed " + std::to_string(prewarmed) +
         (last_prewarmed.empty() ? "" : ", the last " + last_prewarmed);
}

router_with_timers::behavior_type router(router_state::self_pointer self,
                                         router_arguments arguments) {
  auto& state = self->state;
  state.initialise(std::move(arguments));
  return {
    [&state](run_inference& request) { return state.accept(request); },
    [&state](run_inferences& group) { return state.accept(group); },
    [&state](infer_results& news) { state.take_results(news); },
    [&state](const withdraw_inference& wish) { state.withdraw(wish.request_id); },
    [&state](const get_model_statistics& wish) { return state.statistics(wish); },
    [&state](const served_models& news) { state.take_served(news); },
    [&state](const prepare_model& wish) { return state.prepare(wish); },
    [&state](const retire_model& wish) { return state.retire(wish); },
    [&state](const get_inference_records& wish) { return state.records_of(wish); },
    [&state](const node_updated& news) { state.update_node(news); },
    [&state](const node_lost& news) { state.lose_node(news); },
    [&state](const router_due& look) { state.look_at_clock(look.at_ns); },
    [&state](popularity_due) { state.count_popularity(); },
    [&state](prewarm_due) { state.look_for_idle(); },
  };
}

}  // namespace dim::actors
