#include "actors/node/device.hpp"

#include <algorithm>
#include <limits>

#include "actors/agent/agent.hpp"
#include "actors/type_ids.hpp"
#include "models/device.hpp"
#include "models/instances.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// An idle LibTorch process, and what a forward needs beside the parameters.
constexpr std::uint64_t agent_base_bytes = 256ull << 20;

/// Two configurations of one version stand beside each other, and are told as one.
void add_agent(std::vector<agent_facts>& told, const agent_facts& agent) {
  if (!told.empty() && told.back().model == agent.model && told.back().version == agent.version) {
    told.back().workers += agent.workers;
    told.back().load_us = std::max(told.back().load_us, agent.load_us);
  } else if (told.size() < agents_named_max) {
    told.push_back(agent);
  }
}

}  // namespace

std::uint64_t memory_need_of(const served_model& model, std::uint64_t workers) {
  auto of_one =
    model.spec.memory_bytes > 0 ? model.spec.memory_bytes : agent_base_bytes + 2 * model.byte_size;
  constexpr auto all = std::numeric_limits<std::uint64_t>::max();
  return of_one > all / workers ? all : of_one * workers;
}

device_state::~device_state() {
  for (auto& [key, each] : agents)
    caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
  for (auto& [address, each] : ending)
    caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
  for (auto& each : queue)
    fail(each, {error_code::agent_lost, "the device has been stopped", {}});
  for (auto& [address, each] : ending)
    for (auto& promise : each.enders)
      promise.deliver(agents_set{arguments.facts.name});
}

std::uint32_t device_state::workers_of(const served_model& model) const {
  // Executions of jobs may run where no group of the model wants a worker.
  return std::max(1u, models::instances_on(model.spec.instances, gpu_of(arguments.facts),
                                           arguments.some_gpu));
}

std::uint64_t device_state::need_of(const served_model& model) const {
  return memory_need_of(model, workers_of(model));
}

agent_control_actor device_state::agent_for(const model_reference& model) {
  auto& key = model.key();
  auto found = agents.find(key);
  if (found == agents.end()) {
    auto bytes = need_of(*model);
    if (!make_room(bytes))
      return {};
    auto handle = spawn_agent(model);
    used_bytes += bytes;
    agent_facts facts{model->name, model->version, workers_of(*model), 0};
    found = agents.emplace(key, entry{handle, bytes, std::move(facts), 0}).first;
    tell_node();
  }
  found->second.last_use = ++uses;
  return found->second.handle;
}

agent_control_actor device_state::spawn_agent(const model_reference& model) {
  agent_arguments values;
  values.version = model->version;
  values.model_key = model.key();
  values.path = model->path;
  values.spec = model->spec;
  values.workers = workers_of(*model);
  values.device = arguments.facts.name;
  values.threads = std::max<std::uint32_t>(1, static_cast<std::uint32_t>(cores.size()));
  values.cores = cores;
  values.options = arguments.options;
  values.supervision = arguments.supervision;
  values.make_host = arguments.make_host;
  values.owner = device_actor{self};
  auto handle = self->spawn(agent, std::move(values));
  self->monitor(handle);
  return handle;
}

bool device_state::make_room(std::uint64_t bytes) {
  auto limit = arguments.facts.memory_bytes;
  std::uint64_t to_come = 0;
  for (auto& [address, each] : ending)
    to_come += each.memory_bytes;
  while (used_bytes - to_come + bytes > limit && !agents.empty()) {
    auto oldest = std::min_element(agents.begin(), agents.end(), [](auto& one, auto& other) {
      return one.second.last_use < other.second.last_use;
    });
    to_come += oldest->second.memory_bytes;
    stop_agent_of(std::string{oldest->first});
  }
  return used_bytes + bytes <= limit;
}

runtime::failure device_state::refusal_of(const model_reference& model) const {
  auto bytes = need_of(*model);
  if (bytes > arguments.facts.memory_bytes)
    return {error_code::memory_limit,
            "the model needs " + std::to_string(bytes) + " bytes, the device has " +
              std::to_string(arguments.facts.memory_bytes),
            {}};
  if (room_to_wait() == 0)
    return {error_code::overloaded, "too many requests wait for room on the device", {}};
  return {};
}

std::size_t device_state::room_to_wait() const {
  std::size_t waiting = 0;
  for (auto& each : queue)
    waiting += each.size();
  return arguments.options.queue_max - std::min<std::size_t>(arguments.options.queue_max, waiting);
}

agent_control_actor device_state::agent_now(const model_reference& model) {
  // Whoever waits for room comes first, but a model that has its agent needs none.
  if (agents.contains(model.key()) ||
      (queue.empty() && need_of(*model) <= arguments.facts.memory_bytes))
    return agent_for(model);
  return {};
}

caf::result<infer_result> device_state::run(run_on_device& order) {
  if (auto handle = agent_now(order.model))
    return self->delegate(handle, std::move(order.request));
  if (auto refusal = refusal_of(order.model); refusal.code != error_code::none)
    return infer_result{{}, 0, std::move(refusal), {}, false};
  waiting entry{std::move(order.model), now_ms()};
  entry.request = std::move(order.request);
  auto promise = self->make_response_promise<infer_result>();
  entry.promise = promise;
  queue.push_back(std::move(entry));
  return promise;
}

caf::result<infer_results> device_state::run(run_group_on_device& order) {
  if (auto handle = agent_now(order.model))
    return self->delegate(handle, std::move(order.group));
  if (auto refusal = refusal_of(order.model); refusal.code != error_code::none)
    return all_failed(order.group, refusal);
  refuse_excess(order.group);
  waiting entry{std::move(order.model), now_ms()};
  entry.group = std::move(order.group);
  auto promise = self->make_response_promise<infer_results>();
  entry.group_promise = promise;
  queue.push_back(std::move(entry));
  return promise;
}

caf::result<agents_set> device_state::serve(const serve_on_device& wish) {
  if (!wish.wanted)
    return end_agent_of(wish.model.key());
  if (wish.only_spare)
    return serve_spare(wish);
  if (auto handle = agent_now(wish.model))
    return self->delegate(handle, warm_agent{wish.time_left_ms});
  if (auto refusal = refusal_of(wish.model); refusal.code != error_code::none)
    return runtime::to_error(refusal);
  waiting entry{wish.model, now_ms()};
  entry.wish_time_left_ms = wish.time_left_ms;
  auto promise = self->make_response_promise<agents_set>();
  entry.agents_promise = promise;
  queue.push_back(std::move(entry));
  return promise;
}

caf::result<agents_set> device_state::serve_spare(const serve_on_device& wish) {
  auto& key = wish.model.key();
  auto is_new = !agents.contains(key);
  auto bytes = need_of(*wish.model);
  auto limit = arguments.facts.memory_bytes;
  if (is_new && (!queue.empty() || bytes > limit - std::min(limit, used_bytes)))
    return runtime::to_error(error_code::memory_limit,
                             "the device has no spare room for the model: it needs " +
                               std::to_string(bytes) + " bytes");
  auto last_use = is_new ? 0 : agents.at(key).last_use;
  auto handle = agent_for(wish.model);
  // It is the first to go, until somebody has asked for it.
  agents.at(key).last_use = last_use;
  return self->delegate(handle, warm_agent{wish.time_left_ms});
}

caf::result<agents_set> device_state::end_agent_of(const std::string& model_key) {
  cancel_wishes(model_key);
  auto found = agents.find(model_key);
  if (found == agents.end())
    return agents_set{arguments.facts.name};
  auto promise = self->make_response_promise<agents_set>();
  found->second.enders.push_back(promise);
  stop_agent_of(model_key);
  return promise;
}

std::int64_t device_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

void device_state::stop_agent_of(const std::string& model_key) {
  auto found = agents.find(model_key);
  if (found == agents.end())
    return;
  self->send(found->second.handle, stop_agent{});
  ending.emplace(found->second.handle.address(), found->second);
  agents.erase(found);
  tell_node();
}

void device_state::note_loaded(const agent_loaded& news) {
  ++loads;
  load_us += news.load_us;
  if (auto found = agents.find(news.model_key); found != agents.end()) {
    found->second.facts.load_us = news.load_us;
    count_load(found->second.facts, news.load_us);
  }
  tell_node();
}

void device_state::count_load(const agent_facts& agent, std::uint64_t took_us) {
  auto found = std::find_if(loads_by_model.begin(), loads_by_model.end(), [&](auto& each) {
    return each.model == agent.model && each.version == agent.version;
  });
  if (found != loads_by_model.end())
    found->took.add(took_us);
  else if (loads_by_model.size() < agents_named_max)
    loads_by_model.emplace_back(model_loads{agent.model, agent.version, {}}).took.add(took_us);
}

void device_state::note_down(const caf::down_msg& news) {
  if (auto found = ending.find(news.source); found != ending.end()) {
    used_bytes -= found->second.memory_bytes;
    for (auto& promise : found->second.enders)
      promise.deliver(agents_set{arguments.facts.name});
    ending.erase(found);
    tell_node();
    return run_waiting();
  }
  auto crashed = std::find_if(agents.begin(), agents.end(), [&](auto& each) {
    return each.second.handle.address() == news.source;
  });
  if (crashed == agents.end())
    return;
  runtime::log(runtime::log_level::error, name, "lost an agent",
               {{"device", arguments.facts.name},
                {"model", crashed->first},
                {"reason", caf::to_string(news.reason)}});
  used_bytes -= crashed->second.memory_bytes;
  agents.erase(crashed);
  tell_node();
  run_waiting();
}

void device_state::tell_node() {
  device_changed news;
  news.load = {arguments.facts.name, used_bytes, loads, load_us, {}, loads_by_model};
  for (auto& [key, each] : agents) {
    news.model_keys.push_back(key);
    add_agent(news.load.agents, each.facts);
  }
  if (auto node = arguments.node.get())
    self->send(node, std::move(news));
}

std::string device_state::describe() const {
  return arguments.facts.name + ", agents " + std::to_string(agents.size()) + ", ending " +
         std::to_string(ending.size()) + ", waiting " +
         std::to_string(arguments.options.queue_max - room_to_wait()) +
         ", memory " + std::to_string(used_bytes) + " of " +
         std::to_string(arguments.facts.memory_bytes) + " bytes";
}

device_actor::behavior_type device(device_state::self_pointer self, device_arguments arguments) {
  auto& state = self->state;
  if (auto parsed = models::parse_device(arguments.facts.name))
    state.cores = parsed->cores();
  state.arguments = std::move(arguments);
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  return {
    [&state](run_on_device& order) { return state.run(order); },
    [&state](run_group_on_device& order) { return state.run(order); },
    [&state](const serve_on_device& wish) { return state.serve(wish); },
    [&state](const withdraw_on_device& wish) { state.withdraw(wish); },
    [&state](const agent_idle& news) { state.stop_agent_of(news.model_key); },
    [&state](const agent_loaded& news) { state.note_loaded(news); },
  };
}

}  // namespace dim::actors
