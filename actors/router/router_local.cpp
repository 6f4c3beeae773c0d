// What ROUTER answers without a node of its own choice: ensembles, and answers that are kept.
#include <algorithm>
#include <utility>

#include "actors/router/router.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::int64_t ms = 1'000'000;

void add_times(inference_times& sum, const inference_times& part) {
  sum.queue_ns += part.queue_ns;
  sum.input_ns += part.input_ns;
  sum.forward_ns += part.forward_ns;
  sum.output_ns += part.output_ns;
}

}  // namespace

std::string lacking_output(const models::model_spec& spec, const models::tensor_list& outputs,
                           const std::vector<std::string>& wanted) {
  auto is_lacking = [&](const std::string& name) {
    return std::none_of(outputs.begin(), outputs.end(),
                        [&](const models::tensor& each) { return each.name == name; });
  };
  auto lacking = std::find_if(wanted.begin(), wanted.end(), is_lacking);
  // Without one of its inputs a model may leave out what it is for.
  if (lacking == wanted.end()
      || std::any_of(spec.inputs.begin(), spec.inputs.end(),
                     [](const models::tensor_spec& each) { return each.is_optional; }))
    return {};
  return *lacking;
}

models::tensor_list choose_outputs(models::tensor_list outputs,
                                   const std::vector<std::string>& wanted) {
  if (wanted.empty())
    return outputs;
  models::tensor_list chosen;
  for (auto& name : wanted) {
    auto found = std::find_if(outputs.begin(), outputs.end(),
                              [&](const models::tensor& each) { return each.name == name; });
    if (found != outputs.end())
      chosen.push_back(std::move(*found));
  }
  return chosen;
}

bool router_state::answer_from_cache(const run_inference& request, inference_asker& asker,
                                     const route_pointer& route, std::int64_t arrived_ns,
                                     std::string& key) {
  auto& entry = *route->entry;
  if (!entry.spec.response_cache || !answers.keeps_anything())
    return false;
  auto began_ns = now_ns();
  key = answer_cache::key_of(served.answered_by(*route), request.inputs);
  auto kept = answers.find(key);
  auto& counts = *route->counts;
  if (!kept) {
    counts.cache_miss.add(passed_since(began_ns));
    return false;
  }
  auto took_ns = passed_since(arrived_ns);
  counts.cache_hit.add(took_ns);
  counts.success.add(took_ns);
  counts.last_inference_ms = runtime::wall_ms(self->home_system());
  ++done;
  inference_record entry_of_record;
  entry_of_record.request_id = request.request_id;
  entry_of_record.model = route->name;
  entry_of_record.version = route->version;
  entry_of_record.ended_at = counts.last_inference_ms;
  entry_of_record.total_us = took_ns / 1'000;
  keep_record(std::move(entry_of_record));
  inference_done reply;
  reply.outputs = choose_outputs(*kept, request.outputs);
  reply.model = entry.name;
  reply.version = entry.version;
  reply.from_cache = true;
  answer(asker, std::move(reply));
  return true;
}

void router_state::keep_answer(const route_pointer& route, const std::string& key,
                               const models::tensor_list& outputs) {
  // What answered may have been another version than the one that was there at first.
  if (key.empty() || !key.starts_with(served.answered_by(*route) + "#"))
    return;
  auto began_ns = now_ns();
  answers.put(key, outputs);
  route->counts->cache_miss.extend(passed_since(began_ns));
}

void router_state::begin_ensemble(run_inference& request, inference_asker asker,
                                  const route_pointer& route, std::int64_t arrived_ns,
                                  std::string cache_key) {
  auto number = ++last_number;
  if (!request.request_id.empty())
    numbers[request.request_id] = number;
  auto left = std::min<std::uint64_t>(request.time_left_ms, ensemble_ms_max);
  ensemble_flight entry{ensemble_run{route->entry, request.inputs}, {}, std::move(asker), route,
                        arrived_ns, arrived_ns + static_cast<std::int64_t>(left) * ms,
                        std::move(cache_key), {}, {}};
  entry.request = std::move(request);
  ++route->outstanding;
  ensembles.emplace(number, std::move(entry));
  run_steps(number);
}

void router_state::run_steps(std::uint64_t number) {
  auto found = ensembles.find(number);
  if (found == ensembles.end())
    return;
  auto& what = found->second;
  auto calls = what.run.next();
  if (calls.empty() && what.running.empty())
    return end_ensemble(number, {error_code::bad_model, "no step of the ensemble can run", {}});
  for (auto& call : calls) {
    run_inference step;
    step.request_id = "step " + std::to_string(number) + "." + std::to_string(call.step);
    step.model = std::move(call.model);
    step.version = std::move(call.version);
    step.inputs = std::move(call.inputs);
    step.priority = what.request.priority;
    step.queue_timeout_us = what.request.queue_timeout_us;
    auto left = std::max<std::int64_t>(0, what.deadline_ns - now_ns()) / ms;
    step.time_left_ms = static_cast<std::uint64_t>(left);
    what.running.insert(step.request_id);
    auto take = [this, number, id = step.request_id, index = call.step](inference_done& reply) {
      take_step(number, id, index, reply);
    };
    self->request(router_actor{self}, caf::infinite, std::move(step))
      .then(take, [take](const caf::error& error) mutable {
        inference_done reply;
        reply.error = runtime::to_failure(error);
        take(reply);
      });
  }
}

void router_state::take_step(std::uint64_t number, const std::string& id, std::size_t step,
                             inference_done& reply) {
  auto found = ensembles.find(number);
  if (found == ensembles.end())
    return;
  auto& what = found->second;
  what.running.erase(id);
  add_times(what.times, reply.times);
  if (reply.error.code != error_code::none) {
    reply.error.message = "in ensemble '" + what.route->entry->name + "', " + reply.error.message;
    return end_ensemble(number, std::move(reply.error));
  }
  if (auto problem = what.run.take(step, std::move(reply.outputs));
      problem.code != error_code::none)
    return end_ensemble(number, std::move(problem));
  if (what.run.is_done())
    return end_ensemble(number, {});
  run_steps(number);
}

void router_state::end_ensemble(std::uint64_t number, runtime::failure error) {
  auto ended = ensembles.extract(number);
  if (!ended)
    return;
  auto& what = ended.mapped();
  if (auto named = numbers.find(what.request.request_id);
      named != numbers.end() && named->second == number)
    numbers.erase(named);
  --what.route->outstanding;
  for (auto& id : what.running)
    withdraw(id);
  models::tensor_list outputs;
  if (error.code == error_code::none) {
    if (auto given = what.run.outputs(what.request.outputs))
      outputs = std::move(*given);
    else
      error = std::move(given.error());
  }
  // Of an answer that lacks some, one can not tell what another request may want.
  if (outputs.size() == what.route->entry->spec.outputs.size())
    keep_answer(what.route, what.cache_key, outputs);
  flight counted;
  counted.request = std::move(what.request);
  counted.started_ns = what.started_ns;
  counted.place = table.size();
  counted.route = what.route;
  infer_result result;
  result.error = error;
  result.times = what.times;
  result.first_of_batch = error.code == error_code::none;
  result.batch_rows = static_cast<std::uint32_t>(
    models::row_count(counted.route->entry->spec, counted.request.inputs));
  record(counted, result, now_ns());
  inference_done reply;
  reply.model = what.route->entry->name;
  reply.version = what.route->entry->version;
  reply.times = what.times;
  reply.outputs = choose_outputs(std::move(outputs), counted.request.outputs);
  reply.error = std::move(error);
  answer(what.asker, std::move(reply));
}

}  // namespace dim::actors
