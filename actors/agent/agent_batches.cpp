// What AGENT gives to its workers and gets back from them.
#include <algorithm>

#include "actors/agent/agent.hpp"
#include "actors/type_ids.hpp"
#include "models/batch.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

/// Who waits at a worker for no longer than this waits as well as in the queue.
constexpr std::uint64_t short_forward_us = 20'000;

/// Whether the failure tells of a broken worker rather than of what INFERENCE said.
bool is_broken(error_code code) {
  return code == error_code::timeout || code == error_code::unavailable ||
         code == error_code::node_lost || code == error_code::protocol_mismatch;
}

}  // namespace

void agent_state::advance() {
  if (!queue->empty() || !warm_wishes.empty())
    for (auto& each : workers)
      if (each.life.phase() == worker_phase::absent)
        start(each);
  // What the worker with the most room can not be given, no other can.
  while (auto* one = freest()) {
    auto batch = queue->take(now_us(), room_at(*one));
    if (batch.keys.empty())
      break;
    send_batch(*one, batch);
  }
  ready.send(*self);
  if (stopping && requests.empty())
    end_workers();
  arm();
}

queue_room agent_state::room_at(const worker& one) const {
  if (one.life.phase() != worker_phase::ready)
    return queue_room::none;
  auto& flights = one.flights;
  if (flights.empty())
    return queue_room::any;
  if (flights.size() > 1 || flights.front().alone || !may_wait_at_worker())
    return queue_room::none;
  // A process gets its next batch while it runs one: the way there takes as long as a forward. But
  // not a much smaller one, whose way would cost as much.
  auto is_worth_it = queue->size() >= flights.front().keys.size();
  return one.life.pid() > 0 && is_worth_it ? queue_room::hurried : queue_room::full_batch;
}

bool agent_state::may_wait_at_worker() const {
  // What is there already can not be overtaken, counted or given up any more.
  return !queue->has_rules() || (forward_us && *forward_us <= short_forward_us);
}

agent_state::worker* agent_state::freest() {
  worker* best = nullptr;
  auto most = queue_room::none;
  for (auto& each : workers)
    if (auto room = room_at(each); room > most) {
      best = &each;
      most = room;
    }
  return best;
}

void agent_state::send_batch(worker& one, const formed_batch& batch) {
  auto& keys = batch.keys;
  flight begun;
  begun.batch_id = ++last_batch;
  begun.keys = keys;
  begun.released = batch.released;
  begun.running_since_ms = now_ms();
  run_batch content;
  content.batch_id = begun.batch_id;
  content.digests = false;
  auto now = now_us();
  for (auto key : keys) {
    auto& entry = requests.at(key);
    entry.queue_ns = static_cast<std::uint64_t>(now - entry.arrived_us) * 1'000;
    content.digests = content.digests || !entry.content.direct;
    begun.rows += models::row_count(arguments.spec, entry.content.inputs);
    begun.alone = begun.alone || entry.repeated || entry.content.deterministic;
    content.deterministic = content.deterministic || entry.content.deterministic;
    // The bytes are shared: they are needed again if the worker dies.
    content.requests.push_back(entry.content.inputs);
  }
  if (!content.digests)
    runtime::context_of(self->home_system()).traffic.note(requests.size());
  join(one, begun, content);
  one.flights.push_back(begun);
  if (one.flights.size() == 1)
    tell_started(begun);
  // A batch behind another waits for it: it may take as long as both. `expire_flights` is exact.
  auto patience_ms = std::uint64_t{arguments.options.timeout_ms} * 2 + 1'000;
  calls.call(self, one.inference, patience_ms, one.life.token(), std::move(content),
             [this, &one, id = begun.batch_id](runtime::expected<batch_result> reply) {
               finish_batch(one, id, std::move(reply));
             });
}

void agent_state::join(const worker& one, flight& begun, run_batch& content) const {
  // On the way to a process, one tensor is much cheaper than many. Jobs keep their digests, which
  // INFERENCE makes of each answer.
  if (one.life.pid() == 0 || content.digests || content.requests.size() < 2)
    return;
  auto joined = models::join_batch(arguments.spec, content.requests);
  if (!joined)
    return;
  begun.joined_rows = std::move(joined->rows);
  content.requests.assign(1, std::move(joined->inputs));
}

void agent_state::split(const flight& ended, runtime::expected<batch_result>& reply) {
  if (!reply || ended.joined_rows.empty() || reply->outputs.size() != 1)
    return;
  auto parts = models::split_batch(reply->outputs.front(), ended.joined_rows, false);
  if (parts)
    reply->outputs = std::move(*parts);
  else
    reply = tl::unexpected(parts.error());
}

void agent_state::tell_started(const flight& begun) {
  for (auto key : begun.keys) {
    auto& entry = requests.at(key);
    if (entry.asker)
      caf::anon_send(caf::actor_cast<caf::actor>(entry.asker),
                     infer_started{entry.content.request_id});
  }
}

void agent_state::finish_batch(worker& one, std::uint64_t batch_id,
                               runtime::expected<batch_result> reply) {
  auto& flights = one.flights;
  auto found = std::find_if(flights.begin(), flights.end(),
                            [&](const flight& each) { return each.batch_id == batch_id; });
  if (found == flights.end())
    return;
  if (!reply && is_broken(reply.error().code)) {
    kill(one, {error_code::agent_lost, "the agent does not answer: " + reply.error().message, {}});
    return;
  }
  split(*found, reply);
  if (reply && reply->outputs.size() != found->keys.size())
    reply = runtime::fail(error_code::internal, "the agent answered another number of requests");
  auto ended = std::move(*found);
  auto was_first = found == flights.begin();
  flights.erase(found);
  ++batches_done;
  if (was_first && !flights.empty()) {
    flights.front().running_since_ms = now_ms();
    tell_started(flights.front());
  }
  if (!reply) {
    finish_failed_batch(ended, reply.error());
  } else {
    one.life.note_success();
    forward_us = reply->forward_us;
    answer_batch(ended, *reply);
  }
  advance();
}

void agent_state::answer_batch(const flight& ended, batch_result& reply) {
  auto is_first = true;
  for (std::size_t place = 0; place < ended.keys.size(); ++place) {
    auto key = ended.keys[place];
    auto& entry = requests.at(key);
    infer_result result;
    result.error = entry.unwanted;
    if (entry.unwanted.code == error_code::none)
      result.outputs = std::move(reply.outputs[place]);
    result.forward_us = reply.forward_us;
    result.times = reply.times;
    result.times.queue_ns = entry.queue_ns;
    result.batch_rows = static_cast<std::uint32_t>(ended.rows);
    // Whoever asks no more does not count the batch.
    result.first_of_batch =
      entry.unwanted.code == error_code::none && std::exchange(is_first, false);
    result.released = ended.released;
    answer(key, std::move(result));
  }
}

void agent_state::finish_failed_batch(const flight& ended, const runtime::failure& error) {
  if (ended.keys.size() == 1)
    return answer_failure(ended.keys.front(), error);
  // One request may have spoiled it for the others: each is tried by itself.
  repeat_alone(ended.keys);
}

void agent_state::repeat_alone(const std::vector<std::uint64_t>& keys) {
  for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
    auto& entry = requests.at(*key);
    if (auto unwanted = entry.unwanted; unwanted.code != error_code::none) {
      answer_failure(*key, std::move(unwanted));
      continue;
    }
    entry.repeated = true;
    queue->push_front(item_of(*key, entry));
  }
}

void agent_state::expire_requests(std::int64_t now) {
  std::vector<std::uint64_t> late;
  for (auto& [key, each] : requests)
    if (now >= each.deadline_ms && each.unwanted.code == error_code::none)
      late.push_back(key);
  // The start of a worker is no wait in the queue.
  if (serves())
    for (auto key : queue->take_late(now_us()))
      answer_failure(key, {error_code::expired, "Request timeout expired", {}});
  for (auto key : late) {
    if (queue->erase(key)) {
      answer_failure(key, {error_code::expired, "no time was left before the forward began", {}});
      continue;
    }
    auto& entry = requests.at(key);
    entry.unwanted = {error_code::timeout, "the forward did not end in the time that was left", {}};
    entry.unwanted_since_ms = now;
  }
}

void agent_state::expire_warm_wishes(std::int64_t now) {
  std::erase_if(warm_wishes, [now](warm_wish& each) {
    if (now < each.deadline_ms)
      return false;
    each.promise.deliver(
      runtime::to_error(error_code::expired, "the agent was not ready in the time that was left"));
    return true;
  });
}

void agent_state::expire_flights(worker& one, std::int64_t now) {
  auto& flights = one.flights;
  if (one.life.phase() != worker_phase::ready || flights.empty())
    return;
  auto& first = flights.front();
  if (now - first.running_since_ms >= arguments.options.timeout_ms)
    return kill(one, {error_code::agent_timeout,
                      "the forward took longer than " +
                        std::to_string(arguments.options.timeout_ms) +
                        " ms, the agent was killed",
                      {}});
  if (flights.size() > 1 || first.keys.size() > 1)
    return;
  auto& only = requests.at(first.keys.front());
  if (only.unwanted.code != error_code::none &&
      now - only.unwanted_since_ms >= arguments.options.cancel_grace_ms)
    kill(one, {error_code::cancelled, "nobody wants the answer any more", {}});
}

}  // namespace dim::actors
