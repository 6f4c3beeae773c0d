#include "actors/engine/replicated.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <utility>

#include "models/agreement.hpp"

namespace dim::actors {

using runtime::error_code;

replicated_pattern::replicated_pattern(const job_spec& spec)
  : inputs_(spec.inputs),
    redundancy_(std::max(spec.redundancy, 1u)),
    consensus_(std::max(spec.consensus, 1u)),
    method_(spec.compare) {
}

pattern_actions replicated_pattern::start(const pattern_start& start) {
  if (!start.model_specs.empty())
    model_spec_ = start.model_specs.front();
  launch all;
  all.distinct_nodes = true;
  for (std::uint32_t count = 0; count < redundancy_; ++count)
    all.group.push_back(next_place());
  return {std::move(all)};
}

pattern_actions replicated_pattern::answered(place_answer answer) {
  running_.erase(answer.place);
  arrived_.push_back(std::move(answer));
  return take_arrived();
}

pattern_actions replicated_pattern::outputs_loaded(place_id place,
                                                   runtime::expected<models::tensor_list> outputs) {
  auto found = loading_.find(place);
  if (found == loading_.end())
    return {};
  values_[found->second] = outputs ? std::move(*outputs) : models::tensor_list{};
  loading_.erase(found);
  return take_arrived();
}

pattern_actions replicated_pattern::failed(place_failure failure) {
  running_.erase(failure.place);
  if (canonical_)
    return {};
  const auto code = failure.error.code;
  last_failure_ = failure.error;
  if (code == error_code::poison_input)
    return {give_up{std::move(failure.error)}};
  if (code == error_code::no_nodes)
    no_nodes_ = std::move(failure.error);
  else if (!runtime::is_retryable(code) && ++hopeless_[code] >= consensus_)
    return {give_up{std::move(failure.error)}};
  return proceed();
}

place_plan replicated_pattern::next_place() {
  place_plan plan;
  plan.id = {0, launched_++};
  plan.inputs = inputs_;
  running_.insert(plan.id);
  return plan;
}

bool replicated_pattern::may_add() const {
  return !no_nodes_ && launched_ < std::uint64_t{2} * redundancy_ + 1;
}

pattern_actions replicated_pattern::take_arrived() {
  pattern_actions actions;
  while (!arrived_.empty()) {
    auto loads = loads_for(arrived_.front());
    actions.insert(actions.end(), loads.begin(), loads.end());
    if (!loading_.empty())
      return actions;
    add_to_graph(std::move(arrived_.front()));
    arrived_.pop_front();
    auto next = proceed();
    actions.insert(actions.end(), next.begin(), next.end());
  }
  return actions;
}

pattern_actions replicated_pattern::loads_for(const place_answer& answer) {
  pattern_actions actions;
  const bool is_known = graph_.first_with(answer.digest) < graph_.size();
  if (method_ == comparison::exact || is_known || answers_.empty())
    return actions;
  request_load(answer, actions);
  for (std::size_t index = 0; index < answers_.size(); ++index)
    if (graph_.first_with(answers_[index].digest) == index)
      request_load(answers_[index], actions);
  return actions;
}

bool replicated_pattern::needs_load(const place_answer& answer) const {
  return is_any_detached(answer.outputs) && !values_.contains(answer.digest);
}

void replicated_pattern::request_load(const place_answer& answer, pattern_actions& actions) {
  if (!needs_load(answer))
    return;
  for (auto& [place, digest] : loading_)
    if (digest == answer.digest)
      return;
  loading_[answer.place] = answer.digest;
  actions.emplace_back(load_outputs{answer.place, answer.outputs});
}

models::agreement replicated_pattern::compare(const place_answer& one,
                                              const place_answer& other) const {
  if (method_ == comparison::exact)
    return {false, 1.0};
  const auto values_of = [this](const place_answer& x) -> const models::tensor_list& {
    auto found = values_.find(x.digest);
    return found != values_.end() ? found->second : x.outputs;
  };
  const auto method =
    method_ == comparison::label ? models::comparison::label : models::comparison::tensor;
  auto& first = values_of(one);
  auto& second = values_of(other);
  // Values that could not be loaded agree with nothing but their own digest.
  if (first.empty() || second.empty())
    return {false, std::numeric_limits<double>::infinity()};
  return models::compare_outputs(method, first, second, model_spec_);
}

void replicated_pattern::add_to_graph(place_answer answer) {
  auto digest = answer.digest;
  answers_.push_back(std::move(answer));
  graph_.add(std::move(digest), [this](std::size_t one, std::size_t other) {
    return compare(answers_[one], answers_[other]);
  });
}

pattern_actions replicated_pattern::proceed() {
  if (canonical_)
    return {judge_straggler{judge(answers_.size() - 1)}};
  auto found = graph_.find();
  if (found.support >= consensus_)
    return {finish_with(found)};
  const auto expected = answers_.size() + arrived_.size() + running_.size();
  const bool is_short = expected < redundancy_;
  const bool is_split = running_.empty() && arrived_.empty();
  if (!is_short && !is_split)
    return {};
  if (may_add())
    return {launch{{next_place()}, true}};
  return is_split ? conclude() : pattern_actions{};
}

pattern_actions replicated_pattern::conclude() const {
  if (answers_.size() >= consensus_) {
    runtime::failure error{error_code::no_consensus,
                           "no " + std::to_string(consensus_) + " of "
                             + std::to_string(answers_.size()) + " answers agree",
                           {}};
    for (auto& each : answers_)
      error.details.push_back("node " + each.node_id + ": answer " + each.digest.substr(0, 16));
    return {give_up{std::move(error)}};
  }
  return {give_up{no_nodes_ ? *no_nodes_ : last_failure_}};
}

finish replicated_pattern::finish_with(const quorum& found) {
  canonical_ = found.canonical;
  auto& answer = answers_[found.canonical];
  finish end;
  end.await_stragglers = true;
  end.result.outputs = answer.outputs;
  end.result.digest = answer.digest;
  auto& verified = end.result.verified;
  verified.votes = static_cast<std::uint32_t>(answers_.size());
  verified.reached = true;
  verified.consensus_digest = answer.digest;
  verified.method = method_used();
  for (std::size_t index = 0; index < answers_.size(); ++index) {
    auto& node = answers_[index].node_id;
    (found.agrees[index] ? verified.agreeing_nodes : verified.disagreeing_nodes).push_back(node);
    end.verdicts.push_back(judge(index));
  }
  std::sort(verified.agreeing_nodes.begin(), verified.agreeing_nodes.end());
  std::sort(verified.disagreeing_nodes.begin(), verified.disagreeing_nodes.end());
  return end;
}

verdict replicated_pattern::judge(std::size_t index) const {
  return {answers_[index].execution_id, graph_.compared(*canonical_, index).agree};
}

comparison replicated_pattern::method_used() const {
  if (method_ != comparison::automatic)
    return method_;
  const auto method = models::default_comparison(answers_[*canonical_].outputs);
  return method == models::comparison::tensor ? comparison::tensor : comparison::exact;
}

}  // namespace dim::actors
