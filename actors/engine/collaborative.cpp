#include "actors/engine/collaborative.hpp"

#include <algorithm>
#include <utility>

#include "models/aggregate.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

bool has_answered(const participant& x) {
  return x.error.code == error_code::none;
}

models::aggregate_plan plan_of(const job_spec& spec) {
  models::aggregate_plan plan;
  plan.method = static_cast<models::aggregation>(spec.aggregate);
  plan.reduced = static_cast<models::reduction>(spec.reduce);
  plan.trim = spec.trim;
  return plan;
}

}  // namespace

collaborative_pattern::collaborative_pattern(const job_spec& spec) : spec_(spec) {
}

pattern_actions collaborative_pattern::start(const pattern_start&) {
  return {find_holders{}};
}

pattern_actions collaborative_pattern::cabinet_found(const cabinet_nodes& found) {
  auto holders = found.node_ids;
  std::sort(holders.begin(), holders.end());
  holders.erase(std::unique(holders.begin(), holders.end()), holders.end());
  if (holders.size() < nodes_min()) {
    runtime::failure error{error_code::no_nodes,
                           "cabinet " + spec_.cabinet + " is held by "
                             + std::to_string(holders.size()) + " nodes that fit, of "
                             + std::to_string(nodes_min()) + " that the job asks for",
                           {}};
    for (auto& refused : found.refused)
      error.details.push_back("node " + refused.node_name + ": " + refused.refusal);
    return {give_up{std::move(error)}};
  }
  if (spec_.nodes.max > 0 && holders.size() > spec_.nodes.max)
    holders.resize(spec_.nodes.max);
  pattern_actions actions;
  for (auto& node : holders) {
    participant holder;
    holder.model = spec_.steps.front().model;
    holder.version = spec_.steps.front().version;
    holder.node_id = node;
    place_plan plan;
    plan.id = {0, static_cast<std::uint32_t>(participants_.size())};
    plan.inputs = spec_.inputs;
    plan.include = {node};
    plan.retry = retry_place::same_node;
    plan.shared_input = false;
    participants_.push_back(std::move(holder));
    actions.emplace_back(launch{{std::move(plan)}});
  }
  ended_.resize(participants_.size(), 0);
  return actions;
}

pattern_actions collaborative_pattern::answered(place_answer answer) {
  if (is_any_detached(answer.outputs)) {
    load_outputs load{answer.place, answer.outputs};
    loading_[answer.place] = std::move(answer);
    return {std::move(load)};
  }
  const auto index = answer.place.slot;
  participants_[index].outputs = std::move(answer.outputs);
  participants_[index].rows = answer.rows;
  ended_[index] = 1;
  return proceed();
}

pattern_actions collaborative_pattern::outputs_loaded(
  place_id place, runtime::expected<models::tensor_list> outputs) {
  auto found = loading_.find(place);
  if (found == loading_.end())
    return {};
  auto answer = std::move(found->second);
  loading_.erase(found);
  if (!outputs)
    return add_failure(place.slot, outputs.error());
  answer.outputs = std::move(*outputs);
  return answered(std::move(answer));
}

pattern_actions collaborative_pattern::failed(place_failure failure) {
  return add_failure(failure.place.slot, std::move(failure.error));
}

pattern_actions collaborative_pattern::time_is_up() {
  std::size_t answers = 0;
  for (std::size_t index = 0; index < participants_.size(); ++index)
    answers += ended_[index] && has_answered(participants_[index]);
  if (answers < nodes_min())
    return pattern_logic::time_is_up();
  for (std::size_t index = 0; index < participants_.size(); ++index)
    if (!ended_[index])
      participants_[index].error = {error_code::timeout, "no answer in the time of the job", {}};
  return aggregate_answers();
}

std::size_t collaborative_pattern::nodes_min() const {
  return std::max(spec_.nodes.min, 1u);
}

pattern_actions collaborative_pattern::add_failure(std::size_t index, runtime::failure error) {
  participants_[index].error = std::move(error);
  ended_[index] = 1;
  return proceed();
}

pattern_actions collaborative_pattern::proceed() {
  const auto possible = static_cast<std::size_t>(
    std::count_if(participants_.begin(), participants_.end(), has_answered));
  if (possible < nodes_min())
    return give_up_short();
  if (std::count(ended_.begin(), ended_.end(), 0) > 0)
    return {};
  return aggregate_answers();
}

pattern_actions collaborative_pattern::aggregate_answers() {
  finish end;
  std::vector<models::reduced_outputs> answers;
  for (auto& holder : participants_) {
    if (has_answered(holder)) {
      answers.push_back({holder.outputs, holder.rows});
      end.result.rows += holder.rows;
    } else {
      end.result.missing.push_back(holder.node_id);
    }
  }
  auto joined = models::aggregate(plan_of(spec_), answers);
  if (!joined)
    return {give_up{joined.error()}};
  end.result.outputs = std::move(*joined);
  end.result.digest = models::canonical_digest(end.result.outputs);
  end.result.partial = !end.result.missing.empty();
  end.result.participants = std::move(participants_);
  return {std::move(end)};
}

pattern_actions collaborative_pattern::give_up_short() const {
  runtime::failure error;
  for (auto& holder : participants_) {
    if (has_answered(holder))
      continue;
    const auto code = holder.error.code;
    const bool is_mixed = error.code != error_code::none && error.code != code;
    error.code = is_mixed ? error_code::no_nodes : code;
    error.details.push_back("node " + holder.node_id + ": " + std::string{to_string(code)} + ": "
                            + holder.error.message);
  }
  error.message = std::to_string(error.details.size()) + " of "
                  + std::to_string(participants_.size()) + " holders of cabinet " + spec_.cabinet
                  + " failed, and " + std::to_string(nodes_min()) + " must answer";
  return {give_up{std::move(error)}};
}

}  // namespace dim::actors
