// ROUTER's requests at their nodes: the way there, the way back, and the second try.
#include <algorithm>
#include <utility>

#include "actors/router/inference_counts.hpp"
#include "actors/router/router.hpp"
#include "actors/type_ids.hpp"
#include "models/model_spec.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::int64_t ms = 1'000'000;

/// Whether another node may do better.
bool is_worth_a_try(error_code code) {
  return code == error_code::agent_lost || code == error_code::node_lost ||
         code == error_code::unavailable || code == error_code::overloaded;
}

}  // namespace

void router_state::send(std::uint64_t number, flight& what) {
  auto& entry = *what.route->entry;
  auto& request = what.request;
  run_direct order;
  order.request_id = request.request_id;
  order.model = entry.name;
  order.version = entry.version;
  order.model_digest = entry.digest;
  order.revision = entry.revision;
  // The bytes are shared: they are needed again for a second try.
  order.inputs = request.inputs;
  order.priority = request.priority;
  order.queue_timeout_us = request.queue_timeout_us;
  auto left = std::max<std::int64_t>(1, (what.deadline_ns - now_ns()) / ms);
  order.time_left_ms = static_cast<std::uint64_t>(left);
  auto attempt = ++what.attempts;
  table.begin(what.route->shares, what.place);
  auto asked = self->request(handles[what.place], caf::infinite, std::move(order));
  what.reply = asked.id();
  asked.then(
    [this, number, attempt](infer_result& result) { take_result(number, attempt, result); },
    [this, number, attempt](caf::error& error) {
      infer_result result;
      result.error = {error_code::node_lost,
                      "the node does not answer: " + runtime::to_failure(error).message,
                      {}};
      take_result(number, attempt, result);
    });
}

void router_state::take_result(std::uint64_t number, std::uint32_t attempt, infer_result& result) {
  auto found = flights.find(number);
  if (found == flights.end() || found->second.attempts != attempt)
    return;
  if (result.error.code != error_code::none && try_again(number, found->second, result))
    return;
  finish(found, std::move(result));
}

bool router_state::try_again(std::uint64_t number, flight& what, const infer_result& result) {
  auto code = result.error.code;
  if (!arguments.options.retry || what.attempts > 1 || !is_worth_a_try(code) ||
      now_ns() >= what.deadline_ns)
    return false;
  auto place = table.choose(what.route->shares, what.place);
  // The same node, when it is the only one, and this request has not killed its agent.
  if (!place && code == error_code::agent_lost && !result.killed_agent &&
      table.is_usable(what.place))
    place = what.place;
  if (!place)
    return false;
  table.end(what.route->shares, what.place);
  what.place = *place;
  ++retried;
  send(number, what);
  return true;
}

void router_state::finish(flight_map::iterator position, infer_result result) {
  auto what = std::move(position->second);
  if (auto named = numbers.find(what.request.request_id);
      named != numbers.end() && named->second == position->first)
    numbers.erase(named);
  flights.erase(position);
  table.end(what.route->shares, what.place);
  if (result.error.code == error_code::none)
    what.route->shares.at(what.place).warm = true;
  --what.route->outstanding;
  record(what, result, now_ns());
  inference_done reply;
  reply.error = std::move(result.error);
  if (reply.error.code == error_code::none)
    keep_answer(what.route, what.cache_key, result.outputs);
  if (reply.error.code == error_code::none)
    reply.outputs = choose_outputs(std::move(result.outputs), what.request.outputs);
  reply.model = what.route->entry->name;
  reply.version = what.route->entry->version;
  reply.node_id = table.id_of(what.place);
  reply.times = result.times;
  what.promise.deliver(std::move(reply));
}

void router_state::abandon(flight_map::iterator position, error_code code, const char* words) {
  if (position == flights.end())
    return;
  auto& what = position->second;
  self->forget_reply(what.reply);
  if (auto& node = handles[what.place])
    self->send(node, withdraw_direct{what.request.request_id});
  infer_result result;
  result.error = {code, words, {}};
  finish(position, std::move(result));
}

void router_state::record(const flight& what, const infer_result& result, std::int64_t now) {
  counted_end end;
  end.code = result.error.code;
  end.total_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now - what.started_ns));
  end.ended_at_ms = runtime::wall_ms(self->home_system());
  ++(end.code == error_code::none ? done : failed);
  inference_record entry;
  entry.request_id = what.request.request_id;
  entry.code = end.code;
  entry.ended_at = end.ended_at_ms;
  entry.total_us = end.total_ns / 1'000;
  entry.queue_us = result.times.queue_ns / 1'000;
  entry.forward_us = result.times.forward_ns / 1'000;
  entry.batch_rows = result.batch_rows;
  if (what.place < table.size())
    entry.node_id = table.id_of(what.place);
  if (what.route) {
    auto& model = *what.route->entry;
    end.rows = static_cast<std::uint64_t>(models::row_count(model.spec, what.request.inputs));
    count_end(*what.route->counts, end, result);
    entry.model = model.name;
    entry.version = model.version;
  } else {
    entry.model = what.request.model;
    entry.version = what.request.version;
  }
  records.add(std::move(entry));
  arm();
}

}  // namespace dim::actors
