// The face of AGENT: its behaviour, and requests from their arrival to their answer.
#include "actors/agent/agent.hpp"

#include <algorithm>
#include <utility>

#include "actors/type_ids.hpp"
#include "models/tensor_bytes.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/machine.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// Longer deadlines are cut, so that sums of times can not overflow.
constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;

/// Which optional inputs there are, and the dims behind the batch dimension where the model leaves
/// them open: only requests that agree there can be joined.
std::string form_of(const models::model_spec& spec, const models::tensor_list& inputs) {
  std::string form;
  for (auto& declared : spec.inputs) {
    auto is_open = std::find(declared.dims.begin(), declared.dims.end(), -1) != declared.dims.end();
    if (!is_open && !declared.is_optional)
      continue;
    for (auto& input : inputs) {
      if (input.name != declared.name)
        continue;
      form += input.name;
      for (std::size_t axis = 1; axis < input.shape.size(); ++axis)
        form += ',' + std::to_string(input.shape[axis]);
      form += ';';
    }
  }
  return form;
}

}  // namespace

agent_state::agent_state(self_pointer pointer)
  : self(pointer),
    random(runtime::context_of(pointer->home_system()).seed + pointer->id() * 0x9e3779b97f4a7c15) {
}

agent_state::~agent_state() {
  for (auto& [key, each] : requests) {
    infer_result lost{{}, 0, {error_code::agent_lost, "the agent has ended", {}}, {}, false};
    if (each.group)
      each.group->add({each.number, std::move(lost)});
    else
      each.promise.deliver(std::move(lost));
  }
  answer_warm({error_code::agent_lost, "the agent has ended", {}});
  for (auto& each : workers)
    caf::anon_send_exit(each.host, caf::exit_reason::user_shutdown);
}

void agent_state::initialise(agent_arguments values) {
  arguments = std::move(values);
  queue.emplace(arguments.spec.max_batch_size, arguments.spec.batch_delay_max_us,
                 arguments.spec.batching);
  worker_order order;
  order.label = label();
  order.isolated = arguments.spec.isolated;
  order.device = arguments.device;
  order.cores = arguments.cores;
  order.memory_bytes_max = arguments.options.memory_bytes;
  auto& limits = arguments.supervision;
  worker_life life{{arguments.options.start_timeout_ms,
                    {limits.restarts_max, limits.restarts_window_ms, limits.backoff_ms,
                     limits.backoff_max_ms}}};
  workers.reserve(arguments.workers);
  while (workers.size() < arguments.workers)
    workers.push_back(
      {life, arguments.make_host(*self, order, worker_listener_actor{self}), {}, {}, 0});
  idle_since_ms = now_ms();
  arm();
}

std::int64_t agent_state::now_us() const {
  return runtime::clock_ns(self->home_system()) / 1'000;
}

std::int64_t agent_state::now_ms() const {
  return now_us() / 1'000;
}

queued_request agent_state::item_of(std::uint64_t key, const request& from) const {
  auto& content = from.content;
  return {key, models::row_count(arguments.spec, content.inputs),
          from.repeated || content.deterministic, form_of(arguments.spec, content.inputs),
          from.arrived_us,
          content.direct,
          content.priority,
          content.queue_timeout_us};
}

runtime::failure agent_state::refusal_of(const infer& content) const {
  if (final_failure.code != error_code::none)
    return final_failure;
  if (stopping)
    return {error_code::unavailable, "the agent is being stopped", {}};
  if (refuses())
    return {error_code::agent_lost, "the agent died too often and rests", {}};
  if (content.time_left_ms == 0)
    return {error_code::expired, "no time was left when the request reached its agent", {}};
  if (queue->size() >= arguments.options.queue_max)
    return {error_code::overloaded, "Exceeds maximum queue size: the agent's queue is full", {}};
  if (auto words = queue->refusal_of(content.priority); !words.empty())
    return {error_code::overloaded, std::move(words), {}};
  // ROUTER has checked a direct request.
  if (content.direct)
    return {};
  auto problems = models::check_inputs(arguments.spec, content.inputs);
  if (!problems.empty())
    return {error_code::bad_input, "the inputs do not fit the model", std::move(problems)};
  return {};
}

caf::typed_response_promise<infer_result> agent_state::accept(infer& content) {
  request entry;
  // The promise takes the sender out of the message.
  if (!content.direct)
    entry.asker = self->current_sender();
  auto promise = self->make_response_promise<infer_result>();
  entry.content = std::move(content);
  entry.promise = promise;
  take(std::move(entry));
  self->finish_with_others();
  return promise;
}

caf::result<infer_results> agent_state::accept(infer_group& content) {
  if (content.requests.empty())
    return infer_results{};
  auto group =
    std::make_shared<runtime::answer_group<infer_results>>(*self, content.requests.size());
  for (auto& each : content.requests) {
    request entry;
    entry.content = std::move(each.request);
    entry.group = group;
    entry.number = each.number;
    take(std::move(entry));
  }
  self->finish_with_others();
  return group->promise();
}

void agent_state::take(request entry) {
  auto& content = entry.content;
  if (auto refusal = refusal_of(content); refusal.code != error_code::none)
    return tell(entry, infer_result{{}, 0, std::move(refusal), {}, false});
  auto key = ++last_key;
  entry.arrived_us = now_us();
  entry.deadline_ms = entry.arrived_us / 1'000
                      + static_cast<std::int64_t>(std::min(content.time_left_ms, time_left_max_ms));
  queue->push(item_of(key, entry));
  requests.emplace_hint(requests.end(), key, std::move(entry));
}

void agent_state::tell(request& entry, infer_result result) {
  if (!entry.group) {
    entry.promise.deliver(std::move(result));
    return;
  }
  auto bytes = models::bytes_of(result.outputs);
  if (ready.add(*self, entry.group, {entry.number, std::move(result)}, bytes))
    self->finish_behind_others();
}

void agent_state::withdraw(const std::string& request_id) {
  auto found = std::find_if(requests.begin(), requests.end(), [&](auto& each) {
    return each.second.content.request_id == request_id;
  });
  if (found == requests.end())
    return;
  auto key = found->first;
  runtime::failure cancelled{error_code::cancelled, "the caller withdrew it", {}};
  if (queue->erase(key)) {
    answer_failure(key, std::move(cancelled));
  } else if (auto& entry = requests.at(key); entry.unwanted.code == error_code::none) {
    entry.unwanted = std::move(cancelled);
    entry.unwanted_since_ms = now_ms();
  }
  advance();
}

caf::typed_response_promise<agents_set> agent_state::warm(const warm_agent& wish) {
  auto promise = self->make_response_promise<agents_set>();
  if (final_failure.code != error_code::none)
    promise.deliver(runtime::to_error(final_failure));
  else if (stopping)
    promise.deliver(runtime::to_error(error_code::unavailable, "the agent is being stopped"));
  else if (is_warm())
    promise.deliver(agents_set{arguments.device});
  else
    warm_wishes.push_back({promise, now_ms() + static_cast<std::int64_t>(
                                                 std::min(wish.time_left_ms, time_left_max_ms))});
  told_idle = false;
  idle_since_ms = now_ms();
  advance();
  return promise;
}

bool agent_state::refuses() const {
  return std::all_of(workers.begin(), workers.end(),
                     [](const worker& each) { return each.life.is_refusing(); });
}

bool agent_state::is_warm() const {
  return !refuses() && std::all_of(workers.begin(), workers.end(), [](const worker& each) {
    return each.life.phase() == worker_phase::ready || each.life.is_refusing();
  });
}

bool agent_state::serves() const {
  return std::any_of(workers.begin(), workers.end(), [](const worker& each) {
    return each.life.phase() == worker_phase::ready;
  });
}

void agent_state::answer_warm(const runtime::failure& error) {
  for (auto& each : std::exchange(warm_wishes, {})) {
    if (error.code == error_code::none)
      each.promise.deliver(agents_set{arguments.device});
    else
      each.promise.deliver(runtime::to_error(error));
  }
}

void agent_state::stop() {
  stopping = true;
  answer_warm({error_code::unavailable, "the agent is being stopped", {}});
  advance();
}

void agent_state::answer(std::uint64_t key, infer_result result) {
  auto found = requests.find(key);
  if (found == requests.end())
    return;
  auto entry = std::move(found->second);
  requests.erase(found);
  ++requests_done;
  if (requests.empty())
    idle_since_ms = now_ms();
  tell(entry, std::move(result));
}

void agent_state::answer_failure(std::uint64_t key, runtime::failure error, std::string logs,
                                 bool killed_agent) {
  answer(key, infer_result{{}, 0, std::move(error), std::move(logs), killed_agent});
}

void agent_state::answer_all(const runtime::failure& error, const std::string& logs) {
  std::vector<std::uint64_t> keys;
  for (auto& [key, each] : requests)
    keys.push_back(key);
  for (auto key : keys) {
    queue->erase(key);
    answer_failure(key, error, logs);
  }
}

agent_load agent_state::measure() const {
  agent_load load;
  load.model = arguments.spec.name;
  load.version = arguments.version;
  load.device = arguments.device;
  load.queued = static_cast<std::uint32_t>(queue->size());
  load.running = static_cast<std::uint32_t>(requests.size() - queue->size());
  load.batches = batches_done;
  load.requests = requests_done;
  for (auto& each : workers) {
    load.workers_ready += each.life.phase() == worker_phase::ready;
    auto pid = each.life.pid();
    if (pid == 0)
      continue;
    load.resident_bytes += runtime::process_memory(pid).value_or(0);
    if (load.pid == 0)
      load.pid = pid;
  }
  return load;
}

std::string agent_state::describe() const {
  auto text = label() + " on " + arguments.device;
  for (auto& each : workers)
    text += ", worker " + std::string{to_string(each.life.phase())} + ", pid " +
            std::to_string(each.life.pid());
  return text + ", queued " + std::to_string(queue->size()) + ", running " +
         std::to_string(requests.size() - queue->size()) + ", batches " +
         std::to_string(batches_done) + ", requests " + std::to_string(requests_done);
}

agent_control_actor::behavior_type agent(agent_state::self_pointer self,
                                         agent_arguments arguments) {
  self->state.initialise(std::move(arguments));
  auto& state = self->state;
  return {
    [&state](infer& content) { return state.accept(content); },
    [&state](infer_group& content) { return state.accept(content); },
    [&state](const withdraw_infer& wish) { state.withdraw(wish.request_id); },
    [&state](get_agent_load) { return state.measure(); },
    [&state](agent_ready& news) { state.note_ready(news); },
    [&state](const worker_ended& news) { state.note_ended(news); },
    [&state](stop_agent) { state.stop(); },
    [&state](const warm_agent& wish) { return state.warm(wish); },
    [&state](agent_due look) { state.look_at_clock(look.number); },
  };
}

}  // namespace dim::actors
