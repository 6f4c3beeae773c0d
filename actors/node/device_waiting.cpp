// DEVICE's queue: what waits until the agents that are in the way have ended.
#include <algorithm>
#include <iterator>
#include <utility>

#include "actors/node/device.hpp"
#include "actors/type_ids.hpp"
#include "runtime/answer_group.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

void take_off(std::uint64_t& time_left_ms, std::uint64_t waited_ms) {
  time_left_ms -= std::min(time_left_ms, waited_ms);
}

}  // namespace

std::uint64_t device_state::waiting::time_left_ms() const {
  auto longest = std::max(wish_time_left_ms, request.time_left_ms);
  for (auto& each : group.requests)
    longest = std::max(longest, each.request.time_left_ms);
  return longest;
}

void device_state::refuse_excess(infer_group& group) {
  auto room = room_to_wait();
  if (group.requests.size() <= room)
    return;
  infer_group excess;
  auto first = group.requests.begin() + static_cast<std::ptrdiff_t>(room);
  std::move(first, group.requests.end(), std::back_inserter(excess.requests));
  group.requests.erase(first, group.requests.end());
  runtime::send_ahead(
    *self, self->current_sender(),
    all_failed(excess,
               {error_code::overloaded, "too many requests wait for room on the device", {}}));
}

infer_results device_state::all_failed(const infer_group& group, const runtime::failure& error) {
  infer_results results;
  for (auto& each : group.requests)
    results.answers.push_back({each.number, infer_result{{}, 0, error, {}, false}});
  return results;
}

void device_state::fail(waiting& what, const runtime::failure& error) {
  if (what.agents_promise.pending())
    what.agents_promise.deliver(runtime::to_error(error));
  else if (what.promise.pending())
    what.promise.deliver(infer_result{{}, 0, error, {}, false});
  else
    what.group_promise.deliver(all_failed(what.group, error));
}

void device_state::cancel_wishes(const std::string& model_key) {
  std::erase_if(queue, [&](waiting& each) {
    if (!each.agents_promise.pending() || each.model.key() != model_key)
      return false;
    each.agents_promise.deliver(
      runtime::to_error(error_code::cancelled, "the model is no longer wanted here"));
    return true;
  });
}

void device_state::run_waiting() {
  while (!queue.empty()) {
    auto& first = queue.front();
    auto waited = static_cast<std::uint64_t>(now_ms() - first.since_ms);
    // Nobody waits for what comes too late.
    auto is_late = first.time_left_ms() <= waited;
    auto handle = is_late ? agent_control_actor{} : agent_for(first.model);
    if (!handle && !is_late)
      return;
    auto next = std::move(first);
    queue.pop_front();
    go_on(next, waited, handle);
  }
}

void device_state::go_on(waiting& first, std::uint64_t waited_ms,
                         const agent_control_actor& handle) {
  if (!handle)
    return fail(first,
                {error_code::expired, "no time was left when the device had room", {}});
  if (first.agents_promise.pending()) {
    take_off(first.wish_time_left_ms, waited_ms);
    first.agents_promise.delegate(handle, warm_agent{first.wish_time_left_ms});
  } else if (first.promise.pending()) {
    take_off(first.request.time_left_ms, waited_ms);
    first.promise.delegate(handle, std::move(first.request));
  } else {
    for (auto& each : first.group.requests)
      take_off(each.request.time_left_ms, waited_ms);
    first.group_promise.delegate(handle, std::move(first.group));
  }
}

bool device_state::withdraw_waiting(const std::string& request_id) {
  runtime::failure cancelled{error_code::cancelled, "the caller withdrew it", {}};
  for (auto position = queue.begin(); position != queue.end(); ++position) {
    if (position->promise.pending() && position->request.request_id == request_id) {
      fail(*position, cancelled);
      queue.erase(position);
      return true;
    }
    auto& group = position->group.requests;
    auto found = std::find_if(group.begin(), group.end(), [&](const numbered_infer& each) {
      return each.request.request_id == request_id;
    });
    if (found == group.end())
      continue;
    // It is answered with the others, by AGENT, which finds no time left.
    found->request.time_left_ms = 0;
    found->request.request_id.clear();
    if (position->time_left_ms() == 0) {
      fail(*position, cancelled);
      queue.erase(position);
    }
    return true;
  }
  return false;
}

void device_state::withdraw(const withdraw_on_device& wish) {
  if (withdraw_waiting(wish.request_id))
    return;
  for (auto& [key, each] : agents)
    if (wish.model_key.empty() || wish.model_key == key)
      self->send(each.handle, withdraw_infer{wish.request_id});
  for (auto& [address, each] : ending)
    self->send(each.handle, withdraw_infer{wish.request_id});
}

}  // namespace dim::actors
