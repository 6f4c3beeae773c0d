#include "actors/engine/comparative.hpp"

#include <algorithm>
#include <utility>

#include "actors/engine/join/vote.hpp"
#include "models/class_scores.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

bool has_answered(const participant& x) {
  return x.error.code == error_code::none;
}

std::string name_of(const participant& x) {
  return x.version.empty() ? x.model : x.model + ":" + x.version;
}

}  // namespace

comparative_pattern::comparative_pattern(const job_spec& spec) : spec_(spec) {
}

pattern_actions comparative_pattern::start(const pattern_start& start) {
  model_specs_ = start.model_specs;
  model_specs_.resize(spec_.steps.size());
  return begin_round();
}

pattern_actions comparative_pattern::answered(place_answer answer) {
  node_id_ = answer.node_id;
  if (!is_any_detached(answer.outputs)) {
    auto values = answer.outputs;
    return take_answer(std::move(answer), values);
  }
  load_outputs load{answer.place, answer.outputs};
  loading_ = std::move(answer);
  return {std::move(load)};
}

pattern_actions comparative_pattern::outputs_loaded(
  place_id place, runtime::expected<models::tensor_list> outputs) {
  if (!loading_ || loading_->place != place)
    return {};
  auto answer = *std::exchange(loading_, std::nullopt);
  return outputs ? take_answer(std::move(answer), *outputs) : abstain(outputs.error());
}

pattern_actions comparative_pattern::failed(place_failure failure) {
  const auto code = failure.error.code;
  const bool is_fixed = !node_id_.empty();
  if (is_fixed && is_node_gone(code) && rounds_ < std::max(spec_.retry.attempts_max, 1u)) {
    lost_nodes_.push_back(node_id_);
    return begin_round();
  }
  // Where no node takes the first model, none will take the others.
  if (code == error_code::no_nodes || is_node_gone(code))
    return {give_up{std::move(failure.error)}};
  return abstain(std::move(failure.error));
}

pattern_actions comparative_pattern::time_is_up() {
  if (!has_quorum())
    return pattern_logic::time_is_up();
  while (voters_.size() < spec_.steps.size()) {
    voters_.push_back(next_voter());
    voters_.back().error = {error_code::timeout, "no answer in the time of the job", {}};
  }
  return vote();
}

pattern_actions comparative_pattern::begin_round() {
  ++rounds_;
  node_id_.clear();
  voters_.clear();
  return run_next();
}

pattern_actions comparative_pattern::run_next() {
  if (voters_.size() == spec_.steps.size())
    return has_quorum() ? vote() : give_up_short();
  place_plan plan;
  const auto index = static_cast<std::uint32_t>(voters_.size());
  plan.id = {index, index};
  plan.inputs = spec_.inputs;
  if (node_id_.empty()) {
    plan.avoid = lost_nodes_;
  } else {
    plan.include = {node_id_};
    plan.retry = retry_place::same_node;
  }
  return {launch{{std::move(plan)}}};
}

pattern_actions comparative_pattern::take_answer(place_answer answer,
                                                 const models::tensor_list& values) {
  auto label = models::label_of(values, model_specs_[voters_.size()]);
  if (!label)
    return abstain(label.error());
  voters_.push_back(next_voter());
  voters_.back().label = std::move(*label);
  voters_.back().outputs = std::move(answer.outputs);
  return run_next();
}

pattern_actions comparative_pattern::abstain(runtime::failure error) {
  voters_.push_back(next_voter());
  voters_.back().error = std::move(error);
  return run_next();
}

participant comparative_pattern::next_voter() const {
  auto& step = spec_.steps[voters_.size()];
  participant voter;
  voter.model = step.model;
  voter.version = step.version;
  voter.node_id = node_id_;
  voter.weight = step.weight;
  return voter;
}

bool comparative_pattern::is_node_gone(error_code code) const {
  return code == error_code::node_lost || code == error_code::no_nodes
         || code == error_code::unavailable;
}

bool comparative_pattern::has_quorum() const {
  const auto answers = std::count_if(voters_.begin(), voters_.end(), has_answered);
  return static_cast<std::size_t>(answers) * 2 > spec_.steps.size();
}

pattern_actions comparative_pattern::vote() {
  std::vector<cast_vote> votes;
  finish end;
  for (auto& voter : voters_) {
    if (has_answered(voter))
      votes.push_back({voter.label, voter.weight});
    else
      end.result.missing.push_back(name_of(voter));
  }
  const auto outcome = count_votes(spec_.vote, votes);
  const bool is_tied = outcome.tied || outcome.share <= 0;
  if (is_tied && !spec_.tie_abstains) {
    runtime::failure error{error_code::no_consensus, "the vote of the models is tied", {}};
    for (auto& voter : voters_)
      error.details.push_back(name_of(voter) + ": "
                              + (has_answered(voter) ? voter.label : "no answer"));
    return {give_up{std::move(error)}};
  }
  end.result.partial = !end.result.missing.empty();
  end.result.agreement_ratio = outcome.share;
  if (!is_tied) {
    end.result.label = outcome.label;
    auto winner = std::find_if(voters_.begin(), voters_.end(), [&](auto& voter) {
      return has_answered(voter) && voter.label == outcome.label;
    });
    end.result.outputs = winner->outputs;
    end.result.digest = models::canonical_digest(winner->outputs);
  }
  end.result.participants = std::move(voters_);
  return {std::move(end)};
}

pattern_actions comparative_pattern::give_up_short() const {
  runtime::failure error;
  for (auto& voter : voters_) {
    if (has_answered(voter))
      continue;
    if (error.code == error_code::none)
      error.code = voter.error.code;
    error.details.push_back(name_of(voter) + ": " + std::string{to_string(voter.error.code)} + ": "
                            + voter.error.message);
  }
  error.message = std::to_string(error.details.size()) + " of " + std::to_string(voters_.size())
                  + " models failed, and more than half must answer";
  return {give_up{std::move(error)}};
}

}  // namespace dim::actors
