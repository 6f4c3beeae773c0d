// NODE's direct requests: to a device at once, or as soon as their model is in the cache. Nothing
// of them is kept here: AGENT answers ROUTER itself, and a ticket counts each until then.
#include <algorithm>
#include <utility>

#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "models/instances.hpp"
#include "runtime/answer_group.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;
/// A model without agents keeps its place in the cache for so long after its last request.
constexpr std::int64_t keep_unused_ms = 60'000;
constexpr const char* has_requests = "the node has direct requests";

numbered_result failed(const direct_request& request, runtime::failure error) {
  numbered_result answer;
  answer.number = request.number;
  answer.result.error = std::move(error);
  return answer;
}

infer_results all_failed(const run_direct& order, const runtime::failure& error) {
  infer_results results;
  for (auto& each : order.requests)
    results.answers.push_back(failed(each, error));
  return results;
}

runtime::failure no_device() {
  return {error_code::unavailable, "the node has no device for the model", {}};
}

}  // namespace

std::uint32_t node_actor_state::direct_requests() const {
  std::uint32_t count = 0;
  for (auto& [device, each] : direct_counts)
    count += each.value();
  return count;
}

std::uint64_t node_actor_state::waiting_direct::time_left_ms() const {
  if (agents_promise.pending())
    return wish.time_left_ms;
  std::uint64_t longest = 0;
  for (auto& each : order.requests)
    longest = std::max(longest, each.time_left_ms);
  return std::min(longest, time_left_max_ms);
}

std::size_t node_actor_state::direct_in_hand() const {
  std::size_t count = direct_requests();
  for (auto& [key, held] : direct_models)
    for (auto& each : held.waiting)
      count += each.order.requests.size();
  return count;
}

std::size_t node_actor_state::room_for_direct() const {
  auto in_hand = queue.size() + direct_in_hand();
  std::size_t most = arguments.options.queue_max;
  return most - std::min(most, in_hand);
}

runtime::failure node_actor_state::refusal_of(const direct_request& request,
                                              std::size_t room) const {
  if (draining)
    return {error_code::unavailable, "the node is draining", {}};
  if (request.time_left_ms == 0)
    return {error_code::expired, "no time was left when the request reached its node", {}};
  if (room == 0)
    return {error_code::overloaded, "Exceeds maximum queue size: the node's queue is full", {}};
  return {};
}

infer_results node_actor_state::refuse_some(run_direct& order) const {
  infer_results refused;
  std::vector<direct_request> taken;
  taken.reserve(order.requests.size());
  auto room = room_for_direct();
  for (auto& each : order.requests) {
    if (auto refusal = refusal_of(each, room - taken.size()); refusal.code != error_code::none)
      refused.answers.push_back(failed(each, std::move(refusal)));
    else
      taken.push_back(std::move(each));
  }
  order.requests = std::move(taken);
  return refused;
}

node_actor_state::direct_model& node_actor_state::direct_model_of(const direct_key& key) {
  auto& held = direct_models[key];
  held.last_use_ms = now_ms();
  return held;
}

caf::result<infer_results> node_actor_state::run(run_direct& order) {
  auto refused = refuse_some(order);
  if (order.requests.empty())
    return refused;
  if (!refused.answers.empty())
    runtime::send_ahead(*self, self->current_sender(), std::move(refused));
  direct_key key{order.model_digest, order.model, order.version, order.revision};
  auto& held = direct_model_of(key);
  if (held.model) {
    auto name = device_for(held);
    auto device = name.empty() ? device_actor{} : arguments.devices.at(name).get();
    if (!device)
      return all_failed(order, no_device());
    return self->delegate(device, run_group_on_device{*held.model, make_group(order, name)});
  }
  waiting_direct waiting;
  waiting.since_ms = now_ms();
  waiting.order = std::move(order);
  auto promise = self->make_response_promise<infer_results>();
  waiting.promise = promise;
  auto left = waiting.time_left_ms();
  held.waiting.push_back(std::move(waiting));
  ask_for_direct(key, left);
  return promise;
}

infer_group node_actor_state::make_group(run_direct& order, const std::string& device) {
  infer_group group;
  group.requests.reserve(order.requests.size());
  auto& count = direct_counts[device];
  for (auto& each : order.requests) {
    numbered_infer entry;
    entry.number = each.number;
    auto& request = entry.request;
    request.request_id = std::move(each.request_id);
    request.inputs = std::move(each.inputs);
    request.time_left_ms = each.time_left_ms;
    request.direct = true;
    request.priority = each.priority;
    request.queue_timeout_us = each.queue_timeout_us;
    request.ticket = runtime::work_ticket{count};
    group.requests.push_back(std::move(entry));
  }
  return group;
}

std::string node_actor_state::device_for(direct_model& held) const {
  auto& devices = arguments.facts.devices;
  auto some_gpu = has_gpu(devices);
  if (held.cores.empty())
    held.cores = cores_for(held, some_gpu);
  if (!some_gpu)
    return held.cores;
  // Every GPU has its own agent of the model, and so has its set of cores, if it has one: the one
  // with the fewest requests for each of its workers is next.
  auto& groups = (*held.model)->spec.instances;
  std::string best;
  double least = 0;
  for (auto& device : devices) {
    auto gpu = gpu_of(device);
    auto workers = models::instances_on(groups, gpu, some_gpu);
    if (workers == 0 || (!gpu && device.name != held.cores))
      continue;
    auto counted = direct_counts.find(device.name);
    auto requests = counted == direct_counts.end() ? 0 : counted->second.value();
    auto load = static_cast<double>(requests) / workers;
    if (best.empty() || load < least) {
      best = device.name;
      least = load;
    }
  }
  return best;
}

std::string node_actor_state::cores_for(const direct_model& held, bool some_gpu) const {
  if (models::instances_on((*held.model)->spec.instances, std::nullopt, some_gpu) == 0)
    return {};
  std::string best;
  std::size_t fewest = 0;
  for (auto& device : arguments.facts.devices) {
    if (gpu_of(device))
      continue;
    std::size_t count = 0;
    for (auto& [key, other] : direct_models)
      count += other.cores == device.name;
    if (best.empty() || count < fewest) {
      best = device.name;
      fewest = count;
    }
  }
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
    auto waited = static_cast<std::uint64_t>(now - each.since_ms);
    auto left = each.time_left_ms() - std::min(each.time_left_ms(), waited);
    if (error.code == error_code::expired && left > 0) {
      // It was asked for in the name of another request, which had less time.
      longest_left_ms = std::max(longest_left_ms, left);
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
  auto is_wish = waiting.agents_promise.pending();
  if (error.code != error_code::none) {
    if (is_wish)
      waiting.agents_promise.deliver(runtime::to_error(error));
    else
      waiting.promise.deliver(all_failed(waiting.order, error));
    return;
  }
  auto& held = direct_models.at(key);
  auto waited = static_cast<std::uint64_t>(now_ms() - waiting.since_ms);
  auto take_off = [waited](std::uint64_t& left) { left -= std::min(left, waited); };
  if (is_wish) {
    take_off(waiting.wish.time_left_ms);
    return start_agent(held, waiting.wish, waiting.agents_promise);
  }
  auto name = device_for(held);
  auto device = name.empty() ? device_actor{} : arguments.devices.at(name).get();
  if (!device) {
    waiting.promise.deliver(all_failed(waiting.order, no_device()));
    return;
  }
  for (auto& each : waiting.order.requests)
    take_off(each.time_left_ms);
  waiting.promise.delegate(device,
                           run_group_on_device{*held.model, make_group(waiting.order, name)});
}

void node_actor_state::withdraw(const withdraw_direct& wish) {
  if (wish.request_id.empty())
    return;
  for (auto& [key, held] : direct_models)
    for (auto each = held.waiting.begin(); each != held.waiting.end(); ++each) {
      auto& requests = each->order.requests;
      auto found = std::find_if(requests.begin(), requests.end(), [&](const direct_request& one) {
        return one.request_id == wish.request_id;
      });
      if (found == requests.end())
        continue;
      // It is answered with the others: AGENT finds no time left.
      found->time_left_ms = 0;
      found->request_id.clear();
      if (each->time_left_ms() == 0) {
        each->promise.deliver(
          all_failed(each->order, {error_code::cancelled, "the caller withdrew it", {}}));
        held.waiting.erase(each);
      }
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
  waiting.since_ms = now_ms();
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
    promise.deliver(runtime::to_error(no_device()));
    return;
  }
  promise.delegate(device, serve_on_device{*held.model, true, wish.time_left_ms,
                                           wish.only_spare});
}

void node_actor_state::cancel_starts(direct_model& held) {
  std::erase_if(held.waiting, [](waiting_direct& each) {
    auto is_start = each.agents_promise.pending();
    if (is_start)
      each.agents_promise.deliver(
        runtime::to_error(error_code::cancelled, "the model is served no longer"));
    return is_start;
  });
}

void node_actor_state::stop_agents(const direct_key& key, std::uint64_t time_left_ms,
                                   caf::typed_response_promise<agents_set> promise) {
  auto found = direct_models.find(key);
  if (found != direct_models.end())
    cancel_starts(found->second);
  if (found == direct_models.end() || !found->second.model) {
    promise.deliver(agents_set{});
    return;
  }
  // From now on nobody has used it; whoever does before its agents have ended keeps it. Others may
  // need the room of its file.
  found->second.last_use_ms = now_ms() - keep_unused_ms;
  // One more than there are devices: the answer comes when all have been asked.
  auto left = std::make_shared<std::size_t>(arguments.devices.size() + 1);
  auto end_one = [this, left, promise]() mutable {
    if (--*left > 0)
      return;
    promise.deliver(agents_set{});
    watch_direct();
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
