// NODE's executions between their reservation and their answer: inputs, then DEVICE or CABINET RUN.
#include <algorithm>
#include <utility>

#include "actors/node/cabinet_run.hpp"
#include "actors/node/node.hpp"
#include "actors/type_ids.hpp"
#include "runtime/digest.hpp"
#include "runtime/spawn.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

infer_result failed(runtime::failure error) {
  infer_result result;
  result.error = std::move(error);
  return result;
}

/// Rows that an answer holds: its first dimension when the model batches.
std::uint64_t rows_of(const models::model_spec& spec, const models::tensor_list& outputs) {
  if (spec.max_batch_size == 0 || outputs.empty() || outputs.front().shape.empty())
    return 1;
  return static_cast<std::uint64_t>(outputs.front().shape.front());
}

}  // namespace

std::uint64_t node_actor_state::time_left_of(const held_execution& held) const {
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, held.deadline_ms - now_ms()));
}

std::uint64_t node_actor_state::patience_ms() const {
  auto& agent = arguments.agent;
  return std::uint64_t{agent.start_timeout_ms} + agent.timeout_ms + agent.cancel_grace_ms + 1'000;
}

void node_actor_state::begin(const std::string& key) {
  auto found = executions.find(key);
  if (found == executions.end())
    return;
  if (found->second.order.cabinet.empty())
    fetch_inputs(key);
  else
    run_cabinet(key);
}

void node_actor_state::fetch_inputs(const std::string& key) {
  auto& held = executions.at(key);
  auto& inputs = held.order.inputs;
  for (auto& input : inputs) {
    if (input.is_detached()) {
      ++held.missing_inputs;
    } else if (!input.digest.empty() && runtime::sha256_hex(input.data.view()) != input.digest) {
      return finish(
        key,
        failed({error_code::corrupt, "input '" + input.name + "' does not have its digest", {}}));
    }
  }
  if (held.missing_inputs == 0)
    return run_on(key);
  std::vector<std::pair<std::size_t, fetch_blob>> wishes;
  for (std::size_t place = 0; place < inputs.size(); ++place)
    if (inputs[place].is_detached())
      wishes.emplace_back(
        place, fetch_blob{inputs[place].digest, inputs[place].byte_size, time_left_of(held)});
  for (auto& [place, wish] : wishes)
    calls.call(self, arguments.cache.get(), wish.time_left_ms + patience_ms(), {}, std::move(wish),
               [this, key, place](runtime::expected<fetched_blob> reply) {
                 take_input(key, place, std::move(reply));
               });
}

void node_actor_state::take_input(const std::string& key, std::size_t place,
                                  runtime::expected<fetched_blob> reply) {
  auto found = executions.find(key);
  if (found == executions.end() || found->second.where != stage::fetching)
    return;
  if (!reply)
    return finish(key, failed(std::move(reply.error())));
  found->second.order.inputs[place].data = std::move(reply->data);
  if (--found->second.missing_inputs == 0)
    run_on(key);
}

void node_actor_state::run_on(const std::string& key) {
  auto& held = executions.at(key);
  held.where = stage::running;
  auto left = time_left_of(held);
  auto& model = models.at(need_of(held.order).model_key).model;
  infer request;
  request.request_id = key;
  request.inputs = std::move(held.order.inputs);
  request.deterministic = held.order.deterministic;
  request.time_left_ms = left;
  calls.call(self, arguments.devices.at(held.device).get(), left + patience_ms(), {},
             run_on_device{model, std::move(request)},
             [this, key, spec = model.spec](runtime::expected<infer_result> reply) {
               if (!reply)
                 return finish(key, failed({error_code::agent_lost,
                                            "the device does not answer: " + reply.error().message,
                                            {}}));
               auto rows =
                 reply->error.code == error_code::none ? rows_of(spec, reply->outputs) : 0;
               finish(key, std::move(*reply), rows);
             });
}

void node_actor_state::run_cabinet(const std::string& key) {
  auto& held = executions.at(key);
  auto& order = held.order;
  auto device = arguments.devices.at(held.device).get();
  if (!device)
    return finish(key, failed({error_code::agent_lost, "the device is not running", {}}));
  held.where = stage::running;
  cabinet_run_arguments values{key,
                               order.execution_id,
                               order.epoch,
                               arguments.cabinets.at(order.cabinet),
                               {static_cast<models::reduction>(order.reduce), order.histogram_bins,
                                order.histogram_low, order.histogram_high},
                               models.at(need_of(order).model_key).model,
                               order.deterministic,
                               time_left_of(held),
                               patience_ms(),
                               device,
                               cabinet_owner_actor{self}};
  held.run = runtime::spawn_detached(self->system(), *self, cabinet_run, std::move(values));
}

}  // namespace dim::actors
