// NODE's executions: from a message to a reservation, and from an answer to the outbox.
#include <algorithm>
#include <utility>

#include "actors/node/device.hpp"
#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "models/instances.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// As the placement counts a job's `required_memory`.
constexpr std::uint64_t gigabyte = 1'000'000'000;
constexpr std::uint64_t time_left_max_ms = 1'000ull * 3'600 * 24 * 365;

std::string model_key_of(const run_execution& order) {
  return served_model{order.model, order.version, order.model_digest, {}, 0, {},
                      order.model_revision}
    .key();
}

}  // namespace

resource_need node_actor_state::need_of(const run_execution& order) const {
  resource_need need;
  need.cores = order.required_cpu;
  need.memory_bytes = order.required_memory * gigabyte;
  need.gpu = order.required_gpu;
  need.model_key = model_key_of(order);
  if (auto found = models.find(need.model_key); found != models.end() && found->second.ready) {
    auto& model = found->second.model;
    auto workers = std::max(1u, models::most_instances_on_gpu(model.spec.instances));
    need.gpu_bytes = memory_need_of(model, workers);
  }
  return need;
}

runtime::failure node_actor_state::refusal_of(const run_execution& order) const {
  if (draining)
    return {error_code::unavailable, "the node is draining", {}};
  if (order.time_left_ms == 0)
    return {error_code::expired, "no time was left when the execution reached its node", {}};
  if (queue.is_full() || queue.size() + direct_requests() >= arguments.options.queue_max)
    return {error_code::overloaded, "the node's queue is full", {}};
  if (results.is_full())
    return {error_code::overloaded, "too many results wait for the orchestrator", {}};
  if (!order.cabinet.empty() && !arguments.cabinets.contains(order.cabinet))
    return {error_code::not_found, "the node has no cabinet '" + order.cabinet + "'", {}};
  if (auto words = ledger.refusal_of(need_of(order)); !words.empty())
    return {error_code::unavailable, std::move(words), {}};
  return {};
}

void node_actor_state::accept(run_execution& order) {
  auto key = execution_key(order.execution_id, order.epoch);
  if (auto held = executions.find(key); held != executions.end()) {
    if (held->second.told_started && !held->second.cancelled)
      tell_started(held->second);
    return;
  }
  if (auto* known = results.find(order.execution_id, order.epoch))
    return send_to_entry(caf::make_message(*known));
  cancel_older(order);
  if (auto reason = refusal_of(order); reason.code != error_code::none)
    return refuse(order, std::move(reason));
  auto model_key = model_key_of(order);
  queue.push(key, order.priority);
  held_execution held;
  held.deadline_ms =
    now_ms() + static_cast<std::int64_t>(std::min(order.time_left_ms, time_left_max_ms));
  held.order = std::move(order);
  auto& entry = executions.emplace(key, std::move(held)).first->second;
  use_model(model_key, entry.order);
  start_waiting();
}

void node_actor_state::cancel_older(const run_execution& order) {
  std::vector<std::uint32_t> older;
  for (auto each = executions.lower_bound(order.execution_id + "#"); each != executions.end();
       ++each) {
    if (each->second.order.execution_id != order.execution_id)
      break;
    if (each->second.order.epoch < order.epoch)
      older.push_back(each->second.order.epoch);
  }
  for (auto epoch : older)
    cancel({order.execution_id, epoch});
}

void node_actor_state::refuse(const run_execution& order, runtime::failure reason) {
  execution_finished news;
  news.node_id = arguments.facts.id;
  news.incarnation = incarnation;
  news.execution_id = order.execution_id;
  news.epoch = order.epoch;
  news.error = std::move(reason);
  if (results.is_full())
    return send_to_entry(caf::make_message(std::move(news)));
  auto until = now_ms() + std::int64_t{arguments.cluster.request_timeout_ms};
  send_to_entry(caf::make_message(results.keep(std::move(news), now_ms(), until)));
}

void node_actor_state::use_model(const std::string& model_key, const run_execution& order) {
  auto& held = models[model_key];
  ++held.users;
  if (!held.ready && !held.asked)
    ask_for_model(model_key, order);
}

void node_actor_state::ask_for_model(const std::string& model_key, const run_execution& order) {
  models.at(model_key).asked = true;
  acquire_model wish{order.model, order.version, order.model_digest, order.time_left_ms,
                     order.model_revision};
  calls.call(self, arguments.cache.get(), order.time_left_ms + patience_ms(), {}, std::move(wish),
             [this, model_key, revision = order.model_revision](
               runtime::expected<served_model> reply) {
               // Agents are told apart by the revision that was asked for.
               if (reply)
                 reply->revision = revision;
               take_model(model_key, std::move(reply));
             });
}

void node_actor_state::take_model(const std::string& model_key,
                                  runtime::expected<served_model> reply) {
  auto found = models.find(model_key);
  if (found == models.end()) {
    // Everyone who wanted it has been cancelled meanwhile.
    if (reply)
      self->send(arguments.cache.get(), release_model{reply->digest});
    return;
  }
  found->second.asked = false;
  if (reply) {
    found->second.model = std::move(*reply);
    found->second.ready = true;
    return start_waiting();
  }
  fail_model(model_key, reply.error());
}

void node_actor_state::fail_model(const std::string& model_key, const runtime::failure& error) {
  // It was asked for in the name of the first execution; others may have more time.
  auto is_late = error.code == error_code::expired;
  std::vector<std::string> failed;
  held_execution* patient = nullptr;
  for (auto& [key, each] : executions) {
    if (each.where != stage::waiting || model_key_of(each.order) != model_key)
      continue;
    if (is_late && now_ms() < each.deadline_ms)
      patient = &each;
    else
      failed.push_back(key);
  }
  if (patient != nullptr) {
    patient->order.time_left_ms = time_left_of(*patient);
    ask_for_model(model_key, patient->order);
  }
  for (auto& key : failed) {
    infer_result result;
    result.error = error;
    finish(key, std::move(result));
  }
}

void node_actor_state::leave_model(const std::string& model_key) {
  auto found = models.find(model_key);
  if (found == models.end() || --found->second.users > 0)
    return;
  if (!found->second.ready && !found->second.asked)
    models.erase(found);
  else
    drop_unused_models();
}

void node_actor_state::drop_unused_models() {
  // A model stays pinned as long as an agent may have to load it again.
  std::erase_if(models, [this](const auto& each) {
    auto& [model_key, held] = each;
    if (held.users > 0 || !held.ready || ledger.is_served(model_key))
      return false;
    if (auto cache = arguments.cache.get())
      self->send(cache, release_model{held.model.digest});
    return true;
  });
}

void node_actor_state::start_waiting() {
  if (std::exchange(starting, true))
    return;
  std::vector<std::string> started;
  queue.start_waiting([&](const std::string& key) {
    auto& held = executions.at(key);
    auto model = models.find(model_key_of(held.order));
    if (model == models.end() || !model->second.ready)
      return start_outcome::not_ready;
    auto device = ledger.reserve(key, need_of(held.order));
    if (!device)
      return start_outcome::no_room;
    held.device = std::move(*device);
    held.where = stage::fetching;
    started.push_back(key);
    return start_outcome::started;
  });
  starting = false;
  for (auto& key : started)
    begin(key);
}

void node_actor_state::expire_waiting() {
  auto now = now_ms();
  for (auto& key : queue.keys()) {
    if (now < executions.at(key).deadline_ms)
      continue;
    infer_result late;
    late.error = {error_code::expired, "no time was left before the forward began", {}};
    finish(key, std::move(late));
  }
}

void node_actor_state::note_forward(const std::string& key) {
  auto found = executions.find(key);
  if (found == executions.end() || found->second.cancelled ||
      std::exchange(found->second.told_started, true))
    return;
  tell_started(found->second);
}

void node_actor_state::tell_started(const held_execution& held) {
  send_to_entry(caf::make_message(execution_started{arguments.facts.id, incarnation,
                                                    held.order.execution_id, held.order.epoch,
                                                    held.device}));
}

void node_actor_state::finish(const std::string& key, infer_result result, std::uint64_t rows) {
  auto found = executions.find(key);
  if (found == executions.end())
    return;
  if (!found->second.cancelled)
    tell_end(found->second, std::move(result), rows);
  forget(found);
  start_waiting();
  watch_drain();
}

void node_actor_state::tell_end(const held_execution& held, infer_result result,
                                std::uint64_t rows) {
  execution_finished news;
  news.node_id = arguments.facts.id;
  news.incarnation = incarnation;
  news.execution_id = held.order.execution_id;
  news.epoch = held.order.epoch;
  news.error = std::move(result.error);
  news.outputs = std::move(result.outputs);
  news.rows = rows;
  news.device = held.device;
  news.logs = std::move(result.logs);
  news.killed_agent = result.killed_agent;
  news.forward_us = result.forward_us;
  // Nobody wants it after the job's time; the rest is for a message that is under way.
  auto until = held.deadline_ms + std::int64_t{arguments.cluster.request_timeout_ms};
  send_to_entry(caf::make_message(results.keep(std::move(news), now_ms(), until)));
}

void node_actor_state::forget(execution_map::iterator position) {
  auto key = position->first;
  auto model_key = model_key_of(position->second.order);
  executions.erase(position);
  queue.erase(key);
  ledger.release(key);
  leave_model(model_key);
}

void node_actor_state::cancel(const cancel_execution& wish) {
  results.acknowledge(wish.execution_id, wish.epoch);
  auto found = executions.find(execution_key(wish.execution_id, wish.epoch));
  if (found == executions.end())
    return;
  if (found->second.where == stage::running) {
    withdraw(found->second, found->first);
  } else {
    forget(found);
    start_waiting();
  }
  watch_drain();
}

void node_actor_state::withdraw(held_execution& held, const std::string& key) {
  if (std::exchange(held.cancelled, true))
    return;
  if (held.run)
    self->send(held.run, stop_cabinet_run{});
  else if (auto device = arguments.devices.at(held.device).get())
    self->send(device, withdraw_on_device{model_key_of(held.order), key});
}

void node_actor_state::finish_cabinet(cabinet_finished& news) {
  finish(execution_key(news.execution_id, news.epoch), std::move(news.result), news.rows);
}

void node_actor_state::note_device(const device_changed& news) {
  ledger.set_agents(news.load.device, news.model_keys);
  device_news[news.load.device] = news.load;
  drop_unused_models();
}

caf::result<chunk> node_actor_state::read_output(const fetch_chunk& wish) const {
  auto part = results.read(wish);
  if (!part)
    return runtime::to_error(part.error());
  return std::move(*part);
}

}  // namespace dim::actors
