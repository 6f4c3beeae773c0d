#include "actors/cluster/scheduler.hpp"

#include <algorithm>

#include "actors/type_ids.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

constexpr auto tick = std::chrono::milliseconds{100};

/// What is kept of a job's time to tell why no node could be found.
constexpr std::int64_t last_words_ms = 1'000;

/// Groups that are looked at in one pass although others before them could not be placed.
constexpr std::size_t look_ahead = 64;

}  // namespace

void scheduler_state::initialise(self_pointer pointer, scheduler_arguments values) {
  self = pointer;
  arguments = std::move(values);
  queue = wait_queue{arguments.options.priority_age_ms};
  started_at = now_ms();
}

std::int64_t scheduler_state::now_ms() const {
  return runtime::wall_ms(self->home_system());
}

void scheduler_state::accept(place_executions& request) {
  auto engine = caf::actor_cast<engine_actor>(self->current_sender());
  if (request.group.empty() || !engine)
    return;
  auto now = now_ms();
  auto time_left = static_cast<std::int64_t>(request.time_left_ms);
  if (!request.group.front().adopted_node.empty()) {
    for (auto& one : request.group)
      adopt(one, engine, now + time_left);
    return;
  }
  auto key = ++last_key;
  // A little before the job's own end, so that the job fails with the reasons of the nodes.
  auto patience = std::min<std::int64_t>(arguments.options.queue_timeout_ms,
                                         time_left - std::min(time_left / 10, last_words_ms));
  for (auto& one : request.group)
    waiting_key_of[one.execution_id] = key;
  auto& first = request.group.front();
  queue.push(key, first.priority, first.submitted_by, now);
  give_up_times.emplace(now + patience, key);
  const bool avoids = std::any_of(request.group.begin(), request.group.end(),
                                  [](auto& one) { return !one.avoid.empty(); });
  const auto falls_back_at = avoids ? now + arguments.options.avoid_wait_ms : 0;
  if (avoids)
    fall_back_times.emplace(falls_back_at, key);
  waiting.emplace(key, waiting_group{std::move(request.group), std::move(engine), now + patience,
                                     now + time_left, falls_back_at, {}});
  place_waiting();
}

void scheduler_state::withdraw(const std::string& execution_id) {
  if (auto found = waiting_key_of.find(execution_id); found != waiting_key_of.end()) {
    auto key = found->second;
    auto& group = waiting.at(key).group;
    std::erase_if(group, [&](auto& request) { return request.execution_id == execution_id; });
    waiting_key_of.erase(found);
    if (group.empty())
      forget_waiting(key);
    return;
  }
  if (flights.contains(execution_id)) {
    drop_flight(execution_id);
    place_waiting();
  }
}

cabinet_nodes scheduler_state::nodes_with(const find_cabinet& question) const {
  execution_request probe;
  probe.cabinet = question.cabinet;
  probe.include = question.nodes.include;
  probe.exclude = question.nodes.exclude;
  probe.required_cpu = 0;
  probe.required_memory = 0;
  cabinet_nodes result;
  for (auto& [id, node] : nodes) {
    auto entry = score_of(probe, node);
    entry.refusal = refusal_of(probe, node.record);
    auto full = question.nodes.max > 0 && result.node_ids.size() >= question.nodes.max;
    if (entry.refusal.empty() && full)
      entry.refusal = "is beyond nodes.max";
    if (entry.refusal.empty())
      result.node_ids.push_back(id);
    else
      result.refused.push_back(std::move(entry));
  }
  return result;
}

void scheduler_state::place_waiting() {
  if (paused)
    return;
  auto placed_any = true;
  while (placed_any && room() > 0) {
    placed_any = false;
    for (auto key : queue.front(look_ahead)) {
      placed_any = try_to_place(key) || placed_any;
      if (room() == 0)
        return;
    }
  }
}

bool scheduler_state::try_to_place(std::uint64_t key) {
  auto& group = waiting.at(key);
  auto result = place_group(group.group, nodes, now_ms() >= group.falls_back_at);
  if (result.node_ids.empty()) {
    group.last_scores = std::move(result.scores.front());
    if (result.waits_for_room)
      return false;
    queue.erase(key);
    parked.insert(key);
    return true;
  }
  queue.note_served(key);
  for (std::size_t index = 0; index < group.group.size(); ++index)
    send_to_node(group, group.group[index], result.node_ids[index],
                 std::move(result.scores[index]));
  forget_waiting(key);
  return true;
}

void scheduler_state::send_to_node(waiting_group& group, execution_request& request,
                                   const std::string& node_id,
                                   std::vector<candidate_score> scores) {
  auto& node = nodes.at(node_id);
  ++node.in_flight;
  flights_at[node_id].insert(request.execution_id);
  self->send(group.engine, execution_placed{request.execution_id, node_id, node.record.facts.owner,
                                            std::move(scores)});
  auto& entry = flights[request.execution_id];
  entry.order = order_of(request);
  entry.engine = group.engine;
  entry.node_id = node_id;
  entry.incarnation = node.record.incarnation;
  entry.job_ends_at = group.job_ends_at;
  send_order(entry);
}

void scheduler_state::send_order(const flight& entry) {
  auto order = entry.order;
  const auto left = std::max<std::int64_t>(entry.job_ends_at - now_ms(), 0);
  order.time_left_ms = static_cast<std::uint64_t>(left);
  self->send(handles.at(entry.node_id), std::move(order));
}

run_execution order_of(execution_request& request) {
  run_execution order{request.execution_id,
                      request.job_id,
                      request.epoch,
                      request.model.model,
                      request.model.version,
                      request.model.model_digest,
                      {},
                      request.cabinet,
                      request.reduce,
                      request.histogram_bins,
                      request.histogram_low,
                      request.histogram_high,
                      request.deterministic,
                      request.required_cpu,
                      request.required_memory,
                      request.required_gpu,
                      request.priority,
                      0,
                      request.model.model_revision};
  for (auto& input : request.inputs)
    order.inputs.push_back(input.data.size() > inline_data_max ? models::detached(input)
                                                               : std::move(input));
  return order;
}

void scheduler_state::give_up(std::uint64_t key, runtime::failure why) {
  auto& group = waiting.at(key);
  for (auto& request : group.group) {
    execution_ended ending;
    ending.execution_id = request.execution_id;
    ending.error = why;
    ending.placement = group.last_scores;
    self->send(group.engine, std::move(ending));
  }
  forget_waiting(key);
}

void scheduler_state::forget_waiting(std::uint64_t key) {
  auto found = waiting.find(key);
  for (auto& request : found->second.group)
    waiting_key_of.erase(request.execution_id);
  give_up_times.erase({found->second.give_up_at, key});
  fall_back_times.erase({found->second.falls_back_at, key});
  parked.erase(key);
  queue.erase(key);
  waiting.erase(found);
}

void scheduler_state::unpark_all() {
  for (auto key : std::exchange(parked, {}))
    unpark(key);
}

void scheduler_state::unpark(std::uint64_t key) {
  parked.erase(key);
  auto& first = waiting.at(key).group.front();
  queue.push(key, first.priority, first.submitted_by, now_ms());
}

std::uint32_t scheduler_state::room() const {
  std::uint32_t result = 0;
  for (auto& [id, node] : nodes)
    if (node.has_room() && handles.contains(id))
      result += node.capacity - node.in_flight;
  return result;
}

void scheduler_state::look_at_clock() {
  auto now = now_ms();
  queue.age(now);
  give_up_waiting(now);
  end_late_flights(now);
  look_after_adoptions(now);
  fall_back(now);
}

void scheduler_state::fall_back(std::int64_t now) {
  const bool is_any_due = !fall_back_times.empty() && fall_back_times.begin()->first <= now;
  while (!fall_back_times.empty() && fall_back_times.begin()->first <= now) {
    auto key = fall_back_times.begin()->second;
    fall_back_times.erase(fall_back_times.begin());
    if (parked.contains(key))
      unpark(key);
  }
  if (is_any_due)
    place_waiting();
}

void scheduler_state::give_up_waiting(std::int64_t now) {
  while (!give_up_times.empty() && give_up_times.begin()->first <= now) {
    auto key = give_up_times.begin()->second;
    auto& group = waiting.at(key);
    if (group.last_scores.empty())
      group.last_scores = place_group(group.group, nodes).scores.front();
    auto wanted = group.group.size();
    give_up(key, {runtime::error_code::no_nodes,
                  std::to_string(wanted) + (wanted == 1 ? " node was" : " different nodes were")
                    + " needed, and too few had room in time",
                  refusals_in_words(group.last_scores)});
  }
}

void scheduler_state::end_late_flights(std::int64_t now) {
  std::vector<std::string> late;
  for (auto& [id, entry] : flights)
    if (entry.job_ends_at <= now)
      late.push_back(id);
  for (auto& id : late) {
    cancel_at_node(flights.at(id));
    end_flight_as(id, runtime::error_code::timeout, "the job's time ended while this ran");
  }
}

pause_placement scheduler_state::pause(pause_placement wish) {
  paused = wish.paused;
  runtime::log(runtime::log_level::info, name, paused ? "paused placement" : "resumed placement");
  place_waiting();
  return {paused};
}

schedule_status scheduler_state::status() const {
  return {static_cast<std::uint32_t>(waiting_key_of.size()),
          static_cast<std::uint32_t>(flights.size()), paused};
}

std::string scheduler_state::describe() const {
  return "waiting " + std::to_string(waiting_key_of.size()) + ", parked groups "
         + std::to_string(parked.size()) + ", in flight " + std::to_string(flights.size())
         + ", nodes " + std::to_string(nodes.size()) + (paused ? ", paused" : "");
}

scheduler_actor::behavior_type scheduler(scheduler_state::self_pointer self,
                                         scheduler_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  self->delayed_send(self, tick, caf::tick_atom_v);
  return {
    [&state](place_executions& request) { state.accept(request); },
    [&state](const withdraw_execution& wish) { state.withdraw(wish.execution_id); },
    [&state](const engine_gone& news) { state.note_engine_gone(news); },
    [&state](const executions_stored& news) { state.note_stored(news); },
    [&state](const find_cabinet& question) { return state.nodes_with(question); },
    [&state](const execution_started& news) { state.note_started(news); },
    [&state](execution_finished& news) { state.note_finished(news); },
    [&state](outputs_fetched& news) { state.note_fetched(news); },
    [&state](node_updated& news) { state.update_node(news); },
    [&state](const node_lost& news) { state.lose_node(news); },
    [&state](const node_work& news) { state.note_work(news); },
    [&state](pause_placement wish) { return state.pause(wish); },
    [&state](get_schedule) { return state.status(); },
    [self, &state](caf::tick_atom) {
      state.look_at_clock();
      self->delayed_send(self, tick, caf::tick_atom_v);
    },
  };
}

}  // namespace dim::actors
