// NODE's direct requests: to a device at once, or as soon as their model is in the cache. Nothing
// of them is kept here: AGENT answers ROUTER itself, and a ticket counts each until then.
#include <algorithm>
#include <utility>

#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;
/// A model without agents keeps its place in the cache for so long after its last request.
constexpr std::int64_t keep_unused_ms = 60'000;
constexpr const char* has_requests = "the node has direct requests";

infer_result failed(runtime::failure error) {
  infer_result result;
  result.error = std::move(error);
  return result;
}

bool suits(const device_facts& device, const models::instance_group& wanted, bool some_gpu) {
  auto is_gpu = device.kind == "cuda";
  auto wants_gpu = wanted.kind == models::instance_kind::gpu ||
                   (wanted.kind == models::instance_kind::automatic && some_gpu);
  if (is_gpu != wants_gpu)
    return false;
  if (!is_gpu || wanted.gpus.empty())
    return true;
  return std::any_of(wanted.gpus.begin(), wanted.gpus.end(), [&](std::uint32_t number) {
    return device.name == "cuda:" + std::to_string(number);
  });
}

}  // namespace

std::uint32_t node_actor_state::direct_requests() const {
  std::uint32_t count = 0;
  for (auto& [device, each] : direct_counts)
    count += each.value();
  return count;
}

runtime::failure node_actor_state::refusal_of(const run_direct& order) const {
  if (draining)
    return {error_code::unavailable, "the node is draining", {}};
  if (order.time_left_ms == 0)
    return {error_code::expired, "no time was left when the request reached its node", {}};
  if (queue.size() + direct_requests() >= arguments.options.queue_max)
    return {error_code::overloaded, "Exceeds maximum queue size: the node's queue is full", {}};
  return {};
}

node_actor_state::direct_model& node_actor_state::direct_model_of(const direct_key& key) {
  auto& held = direct_models[key];
  held.last_use_ms = now_ms();
  return held;
}

caf::result<infer_result> node_actor_state::run(run_direct& order) {
  if (auto refusal = refusal_of(order); refusal.code != error_code::none)
    return failed(std::move(refusal));
  direct_key key{order.model_digest, order.model, order.version, order.revision};
  auto& held = direct_model_of(key);
  if (held.model) {
    auto name = device_for(held);
    auto device = name.empty() ? device_actor{} : arguments.devices.at(name).get();
    if (!device)
      return failed({error_code::unavailable, "the node has no device for the model", {}});
    return self->delegate(device, run_on_device{*held.model, make_infer(order, name)});
  }
  auto promise = self->make_response_promise<infer_result>();
  waiting_direct waiting;
  waiting.deadline_ms =
    now_ms() + static_cast<std::int64_t>(std::min(order.time_left_ms, time_left_max_ms));
  auto left = order.time_left_ms;
  waiting.order = std::move(order);
  waiting.promise = promise;
  held.waiting.push_back(std::move(waiting));
  ask_for_direct(key, left);
  return promise;
}

infer node_actor_state::make_infer(run_direct& order, const std::string& device) {
  infer request;
  request.request_id = std::move(order.request_id);
  request.inputs = std::move(order.inputs);
  request.time_left_ms = order.time_left_ms;
  request.direct = true;
  request.priority = order.priority;
  request.queue_timeout_us = order.queue_timeout_us;
  request.ticket = runtime::work_ticket{direct_counts[device]};
  return request;
}

std::string node_actor_state::device_for(direct_model& held) const {
  auto& wanted = (*held.model)->spec.instances;
  auto& devices = arguments.facts.devices;
  auto some_gpu = std::any_of(devices.begin(), devices.end(),
                              [](const device_facts& each) { return each.kind == "cuda"; });
  if (!held.device.empty())
    return held.device;
  std::string best;
  std::uint32_t fewest = 0;
  for (auto& device : devices) {
    if (!suits(device, wanted, some_gpu))
      continue;
    std::uint32_t load = 0;
    if (device.kind == "cuda") {
      // Every GPU has its own agent of the model; the least busy one is next.
      auto counted = direct_counts.find(device.name);
      load = counted == direct_counts.end() ? 0 : counted->second.value();
    } else {
      for (auto& [key, other] : direct_models)
        load += other.device == device.name;
    }
    if (best.empty() || load < fewest) {
      best = device.name;
      fewest = load;
    }
  }
  if (!some_gpu || wanted.kind == models::instance_kind::cpu)
    held.device = best;
  return best;
}

void node_actor_state::ask_for_direct(const direct_key& key, std::uint64_t time_left_ms) {
  if (std::exchange(direct_models.at(key).asked, true))
    return;
  acquire_model wish{key.model, key.version, key.digest, time_left_ms, key.revision};
  calls.call(self, arguments.cache.get(), time_left_ms + patience_ms(), {}, std::move(wish),
             [this, key](runtime::expected<served_model> reply) {
               take_direct(key, std::move(reply));
             });
}

void node_actor_state::take_direct(const direct_key& key, runtime::expected<served_model> reply) {
  auto found = direct_models.find(key);
  if (found == direct_models.end())
    return;
  auto& held = found->second;
  held.asked = false;
  runtime::failure error;
  if (reply) {
    // Agents are told apart by the revision that was asked for.
    reply->revision = key.revision;
    held.model.emplace(std::move(*reply));
  } else {
    error = reply.error();
  }
  auto now = now_ms();
  std::uint64_t longest_left_ms = 0;
  for (auto& each : std::exchange(held.waiting, {})) {
    if (error.code == error_code::expired && now < each.deadline_ms) {
      // It was asked for in the name of another request, which had less time.
      longest_left_ms =
        std::max(longest_left_ms, static_cast<std::uint64_t>(each.deadline_ms - now));
      held.waiting.push_back(std::move(each));
    } else {
      go_on(key, each, error);
    }
  }
  if (longest_left_ms > 0)
    ask_for_direct(key, longest_left_ms);
}

void node_actor_state::go_on(const direct_key& key, waiting_direct& waiting,
                             const runtime::failure& error) {
  auto is_request = waiting.promise.pending();
  if (error.code != error_code::none) {
    if (is_request)
      waiting.promise.deliver(failed(error));
    else
      waiting.agents_promise.deliver(runtime::to_error(error));
    return;
  }
  auto& held = direct_models.at(key);
  auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(0, waiting.deadline_ms - now_ms()));
  if (!is_request) {
    waiting.wish.time_left_ms = left;
    return start_agent(held, waiting.wish, waiting.agents_promise);
  }
  auto name = device_for(held);
  auto device = name.empty() ? device_actor{} : arguments.devices.at(name).get();
  if (!device) {
    waiting.promise.deliver(
      failed({error_code::unavailable, "the node has no device for the model", {}}));
    return;
  }
  waiting.order.time_left_ms = left;
  waiting.promise.delegate(device, run_on_device{*held.model, make_infer(waiting.order, name)});
}

void node_actor_state::withdraw(const withdraw_direct& wish) {
  if (wish.request_id.empty())
    return;
  for (auto& [key, held] : direct_models) {
    auto found = std::find_if(
      held.waiting.begin(), held.waiting.end(), [&](const waiting_direct& each) {
        return each.promise.pending() && each.order.request_id == wish.request_id;
      });
    if (found == held.waiting.end())
      continue;
    found->promise.deliver(failed({error_code::cancelled, "the caller withdrew it", {}}));
    held.waiting.erase(found);
    return;
  }
  for (auto& [name, count] : direct_counts)
    if (auto device = arguments.devices.at(name).get(); device && count.value() > 0)
      self->send(device, withdraw_on_device{{}, wish.request_id});
}

caf::result<agents_set> node_actor_state::set_agents_of(const set_agents& wish) {
  if (draining && wish.wanted)
    return runtime::to_error(error_code::unavailable, "the node is draining");
  // Before there is a promise, which would take the place of this answer.
  if (wish.wanted && wish.only_spare && direct_requests() > 0)
    return runtime::to_error(error_code::overloaded, has_requests);
  auto promise = self->make_response_promise<agents_set>();
  direct_key key{wish.model_digest, wish.model, wish.version, wish.revision};
  if (!wish.wanted) {
    stop_agents(key, wish.time_left_ms, promise);
    return promise;
  }
  auto& held = direct_model_of(key);
  if (held.model) {
    start_agent(held, wish, promise);
    return promise;
  }
  waiting_direct waiting;
  waiting.wish = wish;
  waiting.agents_promise = promise;
  waiting.deadline_ms =
    now_ms() + static_cast<std::int64_t>(std::min(wish.time_left_ms, time_left_max_ms));
  held.waiting.push_back(std::move(waiting));
  ask_for_direct(key, wish.time_left_ms);
  return promise;
}

void node_actor_state::start_agent(direct_model& held, const set_agents& wish,
                                   caf::typed_response_promise<agents_set> promise) {
  // They may have come while the file was on its way.
  if (wish.only_spare && direct_requests() > 0) {
    promise.deliver(runtime::to_error(error_code::overloaded, has_requests));
    return;
  }
  auto name = device_for(held);
  auto device = name.empty() ? device_actor{} : arguments.devices.at(name).get();
  if (!device) {
    promise.deliver(
      runtime::to_error(error_code::unavailable, "the node has no device for the model"));
    return;
  }
  promise.delegate(device, serve_on_device{*held.model, true, wish.time_left_ms,
                                           wish.only_spare});
}

void node_actor_state::stop_agents(const direct_key& key, std::uint64_t time_left_ms,
                                   caf::typed_response_promise<agents_set> promise) {
  auto found = direct_models.find(key);
  if (found == direct_models.end() || !found->second.model) {
    promise.deliver(agents_set{});
    return;
  }
  // One more than there are devices: the answer comes when all have been asked.
  auto left = std::make_shared<std::size_t>(arguments.devices.size() + 1);
  auto end_one = [left, promise]() mutable {
    if (--*left == 0)
      promise.deliver(agents_set{});
  };
  for (auto& [name, cell] : arguments.devices)
    calls.call(self, cell.get(), time_left_ms + patience_ms(), {},
               serve_on_device{*found->second.model, false, time_left_ms},
               [end_one](runtime::expected<agents_set>) mutable { end_one(); });
  end_one();
}

void node_actor_state::watch_direct() {
  auto now = now_ms();
  std::erase_if(direct_models, [&](auto& each) {
    auto& held = each.second;
    if (held.asked || !held.waiting.empty() || now - held.last_use_ms < keep_unused_ms)
      return false;
    if (held.model && ledger.is_served(held.model->key()))
      return false;
    if (auto cache = arguments.cache.get(); held.model && cache)
      self->send(cache, release_model{(*held.model)->digest});
    return true;
  });
}

}  // namespace dim::actors
