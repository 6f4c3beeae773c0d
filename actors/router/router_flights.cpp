// ROUTER's requests at their nodes: the way there, the way back, and the second try.
#include <algorithm>
#include <utility>

#include "actors/router/inference_counts.hpp"
#include "actors/router/router.hpp"
#include "actors/type_ids.hpp"
#include "models/model_spec.hpp"
#include "models/tensor_bytes.hpp"
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

/// What travels together, so that a large request holds up no others.
constexpr std::size_t parcel_bytes_max = 256 << 10;
constexpr std::size_t parcel_requests_max = 256;

}  // namespace

void router_state::send(std::uint64_t number, flight& what) {
  ++what.attempts;
  what.sent = nullptr;
  table.begin(what.route->shares, what.place);
  auto bytes = models::bytes_of(what.request.inputs);
  // The last of its kind: those before it are full.
  auto last = std::find_if(parcels.rbegin(), parcels.rend(), [&](const parcel& each) {
    return each.route == what.route && each.place == what.place;
  });
  auto has_room = last != parcels.rend() && last->bytes + bytes <= parcel_bytes_max &&
                  last->numbers.size() < parcel_requests_max;
  auto& target =
    has_room ? *last : parcels.emplace_back(parcel{what.route, what.place, 0, {}});
  target.bytes += bytes;
  target.numbers.push_back(number);
}

void router_state::send_parcels() {
  // A node that is gone by now gives its requests back: they may go to another.
  while (!parcels.empty())
    for (auto& each : std::exchange(parcels, {}))
      send_parcel(each);
}

void router_state::send_parcel(parcel& what) {
  auto& entry = *what.route->entry;
  run_direct order;
  order.model = entry.name;
  order.version = entry.version;
  order.model_digest = entry.digest;
  order.revision = entry.revision;
  order.requests.reserve(what.numbers.size());
  auto sent = std::make_shared<sent_parcel>();
  sent->numbers = std::move(what.numbers);
  auto now = now_ns();
  for (auto number : sent->numbers) {
    auto found = flights.find(number);
    if (found == flights.end())
      continue;
    auto& request = found->second.request;
    found->second.sent = sent;
    ++sent->left;
    auto left = std::max<std::int64_t>(1, (found->second.deadline_ns - now) / ms);
    // The bytes are shared: they are needed again for a second try.
    order.requests.push_back({number, request.request_id, request.inputs, request.priority,
                              request.queue_timeout_us, static_cast<std::uint64_t>(left)});
  }
  if (order.requests.empty())
    return;
  auto& node = handles[what.place];
  if (!node)
    return fail_parcel(*sent, {error_code::node_lost, "the node is gone", {}});
  auto asked = self->request(node, caf::infinite, std::move(order));
  sent->reply = asked.id();
  asked.then(
    [this, sent](infer_results& reply) { take_reply(reply, *sent); },
    [this, sent](caf::error& error) {
      fail_parcel(*sent, {error_code::node_lost,
                          "the node does not answer: " + runtime::to_failure(error).message,
                          {}});
      send_parcels();
    });
}

void router_state::take_results(infer_results& news) {
  for (auto& each : news.answers)
    take_result(each.number, each.result);
  send_parcels();
}

void router_state::take_reply(infer_results& reply, sent_parcel& sent) {
  sent.has_ended = true;
  for (auto& each : reply.answers)
    take_result(each.number, each.result);
  if (sent.left > 0)
    fail_parcel(sent, {error_code::agent_lost, "the node has left it without an answer", {}});
  send_parcels();
}

void router_state::fail_parcel(sent_parcel& sent, const runtime::failure& why) {
  sent.has_ended = true;
  for (auto number : sent.numbers) {
    infer_result result;
    result.error = why;
    take_result(number, result);
  }
}

void router_state::take_result(std::uint64_t number, infer_result& result) {
  auto found = flights.find(number);
  if (found == flights.end())
    return;
  if (result.error.code != error_code::none && try_again(found, result))
    return;
  finish(found, std::move(result));
}

bool router_state::try_again(flight_map::iterator position, const infer_result& result) {
  auto& what = position->second;
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
  leave_parcel(what);
  what.place = *place;
  ++retried;
  // What the first node still says of it finds nobody.
  auto moved = flights.extract(position);
  auto number = ++last_number;
  if (auto named = numbers.find(moved.mapped().request.request_id);
      named != numbers.end() && named->second == moved.key())
    named->second = number;
  moved.key() = number;
  send(number, flights.insert(std::move(moved)).position->second);
  return true;
}

void router_state::leave_parcel(flight& what) {
  // A reply that nobody waits for may never come.
  if (what.sent && --what.sent->left == 0 && !what.sent->has_ended)
    self->forget_reply(what.sent->reply);
  what.sent = nullptr;
}

void router_state::finish(flight_map::iterator position, infer_result result) {
  auto what = std::move(position->second);
  if (auto named = numbers.find(what.request.request_id);
      named != numbers.end() && named->second == position->first)
    numbers.erase(named);
  flights.erase(position);
  leave_parcel(what);
  table.end(what.route->shares, what.place);
  if (result.error.code == error_code::none) {
    auto& share = what.route->shares.at(what.place);
    share.warm = true;
    share.resting = false;
  }
  --what.route->outstanding;
  auto& model = *what.route->entry;
  if (result.error.code == error_code::none)
    if (auto name = lacking_output(model.spec, result.outputs, what.request.outputs); !name.empty())
      result.error = {error_code::bad_model,
                      "the model '" + model.name + "' gave no output '" + name + "'",
                      {}};
  record(what, result, now_ns());
  inference_done reply;
  reply.error = std::move(result.error);
  if (reply.error.code == error_code::none)
    keep_answer(what.route, what.cache_key, result.outputs);
  if (reply.error.code == error_code::none)
    reply.outputs = choose_outputs(std::move(result.outputs), what.request.outputs);
  reply.model = model.name;
  reply.version = model.version;
  reply.node_id = table.id_of(what.place);
  reply.times = result.times;
  answer(what.asker, std::move(reply));
}

void router_state::abandon(flight_map::iterator position, error_code code, const char* words) {
  if (position == flights.end())
    return;
  auto& what = position->second;
  if (auto& node = handles[what.place]; what.sent && node)
    self->send(node, withdraw_direct{what.request.request_id});
  infer_result result;
  result.error = {code, words, {}};
  finish(position, std::move(result));
}

void router_state::record(flight& what, const infer_result& result, std::int64_t now) {
  counted_end end;
  end.code = result.error.code;
  end.total_ns = static_cast<std::uint64_t>(std::max<std::int64_t>(0, now - what.started_ns));
  end.ended_at_ms = runtime::wall_ms(self->home_system());
  ++(end.code == error_code::none ? done : failed);
  inference_record entry;
  entry.request_id = std::move(what.request.request_id);
  entry.code = end.code;
  entry.ended_at = end.ended_at_ms;
  entry.total_us = end.total_ns / 1'000;
  entry.queue_us = result.times.queue_ns / 1'000;
  entry.forward_us = result.times.forward_ns / 1'000;
  entry.batch_rows = result.batch_rows;
  if (what.place < table.size())
    entry.node_id = table.name_of(what.place);
  if (what.route) {
    auto& model = *what.route->entry;
    end.rows = static_cast<std::uint64_t>(models::row_count(model.spec, what.request.inputs));
    count_end(*what.route->counts, end, result);
    entry.model = what.route->name;
    entry.version = what.route->version;
  } else {
    entry.model = what.request.model;
    entry.version = what.request.version;
  }
  keep_record(std::move(entry));
}

}  // namespace dim::actors
