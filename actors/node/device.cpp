#include "actors/node/device.hpp"

#include <algorithm>

#include "actors/agent/agent.hpp"
#include "actors/type_ids.hpp"
#include "models/device.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// An idle LibTorch process, and what a forward needs beside the parameters.
constexpr std::uint64_t agent_base_bytes = 256ull << 20;

infer_result failed(error_code code, std::string words) {
  return {{}, 0, {code, std::move(words), {}}, {}, false};
}

}  // namespace

std::uint64_t memory_need_of(const served_model& model) {
  if (model.spec.memory_bytes > 0)
    return model.spec.memory_bytes;
  return agent_base_bytes + 2 * model.byte_size;
}

device_state::~device_state() {
  for (auto& [key, each] : agents)
    caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
  for (auto& [address, each] : ending)
    caf::anon_send_exit(each.handle, caf::exit_reason::user_shutdown);
  for (auto& each : queue)
    each.promise.deliver(failed(error_code::agent_lost, "the device has been stopped"));
  for (auto& [address, each] : ending)
    for (auto& promise : each.enders)
      promise.deliver(agents_set{arguments.facts.name});
}

agent_control_actor device_state::agent_for(const model_reference& model) {
  auto& key = model.key();
  auto found = agents.find(key);
  if (found == agents.end()) {
    auto bytes = memory_need_of(*model);
    if (!make_room(bytes))
      return {};
    auto handle = spawn_agent(model);
    used_bytes += bytes;
    found = agents.emplace(key, entry{handle, bytes, 0}).first;
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

caf::result<infer_result> device_state::run(run_on_device& order) {
  auto bytes = memory_need_of(*order.model);
  if (bytes > arguments.facts.memory_bytes)
    return failed(error_code::memory_limit,
                  "the model needs " + std::to_string(bytes) + " bytes, the device has " +
                    std::to_string(arguments.facts.memory_bytes));
  // Whoever waits for room comes first, but a model that has its agent needs none.
  if (queue.empty() || agents.contains(order.model.key()))
    if (auto handle = agent_for(order.model))
      return self->delegate(handle, std::move(order.request));
  if (queue.size() >= arguments.options.queue_max)
    return failed(error_code::overloaded, "too many requests wait for room on the device");
  auto promise = self->make_response_promise<infer_result>();
  queue.push_back({std::move(order), promise, now_ms()});
  return promise;
}

caf::result<agents_set> device_state::serve(const serve_on_device& wish) {
  if (wish.wanted) {
    if (auto handle = agent_for(wish.model))
      return self->delegate(handle, warm_agent{wish.time_left_ms});
    return runtime::to_error(error_code::memory_limit, "the device has no room for the model now");
  }
  auto found = agents.find(wish.model.key());
  if (found == agents.end())
    return agents_set{arguments.facts.name};
  auto promise = self->make_response_promise<agents_set>();
  found->second.enders.push_back(promise);
  stop_agent_of(wish.model.key());
  return promise;
}

void device_state::run_waiting() {
  while (!queue.empty()) {
    auto handle = agent_for(queue.front().order.model);
    if (!handle)
      return;
    auto first = std::move(queue.front());
    queue.pop_front();
    auto& request = first.order.request;
    auto waited = static_cast<std::uint64_t>(now_ms() - first.since_ms);
    request.time_left_ms -= std::min(request.time_left_ms, waited);
    first.promise.delegate(handle, std::move(request));
  }
}

std::int64_t device_state::now_ms() const {
  return runtime::clock_ns(self->home_system()) / 1'000'000;
}

void device_state::withdraw(const withdraw_on_device& wish) {
  auto waits = std::find_if(queue.begin(), queue.end(), [&](const waiting& each) {
    return each.order.request.request_id == wish.request_id;
  });
  if (waits != queue.end()) {
    waits->promise.deliver(failed(error_code::cancelled, "the caller withdrew it"));
    queue.erase(waits);
    return;
  }
  for (auto& [key, each] : agents)
    if (wish.model_key.empty() || wish.model_key == key)
      self->send(each.handle, withdraw_infer{wish.request_id});
  for (auto& [address, each] : ending)
    self->send(each.handle, withdraw_infer{wish.request_id});
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

void device_state::note_down(const caf::down_msg& news) {
  if (auto found = ending.find(news.source); found != ending.end()) {
    used_bytes -= found->second.memory_bytes;
    for (auto& promise : found->second.enders)
      promise.deliver(agents_set{arguments.facts.name});
    ending.erase(found);
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
  news.device = arguments.facts.name;
  for (auto& [key, each] : agents)
    news.model_keys.push_back(key);
  if (auto node = arguments.node.get())
    self->send(node, std::move(news));
}

std::string device_state::describe() const {
  return arguments.facts.name + ", agents " + std::to_string(agents.size()) + ", ending " +
         std::to_string(ending.size()) + ", waiting " + std::to_string(queue.size()) +
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
    [&state](const serve_on_device& wish) { return state.serve(wish); },
    [&state](const withdraw_on_device& wish) { state.withdraw(wish); },
    [&state](const agent_idle& news) { state.stop_agent_of(news.model_key); },
  };
}

}  // namespace dim::actors
