#include "actors/engine/pattern_run.hpp"

#include <algorithm>
#include <utility>

namespace dim::actors {

namespace {

using runtime::error_code;

/// How long before the job's deadline a pattern must make do with what has come, so that its answer
/// reaches JOB in time: a twentieth of the job's time, at most 20 ms. It comes after SCHEDULER has
/// told which nodes refused what still waits.
std::int64_t cutoff_margin_ms(const job_spec& spec) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(spec.timeout_ms / 20, 20));
}

/// Between two looks for nodes that were there before a restart.
constexpr std::uint64_t holders_pause_ms = 500;

}  // namespace

pattern_run::pattern_run(run_arguments arguments)
  : arguments_(std::move(arguments)),
    logic_(make_pattern(arguments_.spec)),
    attempts_(arguments_.spec.retry, arguments_.seed),
    ids_(arguments_.seed),
    look_at_ms_(arguments_.deadline_ms - cutoff_margin_ms(arguments_.spec)),
    prior_(std::move(arguments_.prior)),
    steps_saved_(arguments_.step_outputs.size()) {
  if (arguments_.spec.kind != pattern::replicated)
    return;
  for (auto& node : prior_.nodes())
    used_nodes_[node];
}

run_effects pattern_run::start(std::vector<models::model_spec> model_specs, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (phase_ != phase::created)
    return {};
  phase_ = phase::running;
  holders_until_ms_ = now_ms + arguments_.adopt_wait_ms;
  pattern_start facts;
  facts.model_specs = std::move(model_specs);
  facts.steps_done = static_cast<std::uint32_t>(arguments_.step_outputs.size());
  if (!arguments_.step_outputs.empty())
    facts.stored_outputs = arguments_.step_outputs.back();
  perform(logic_->start(facts));
  return settle();
}

run_effects pattern_run::cabinet_found(const cabinet_nodes& found, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (phase_ != phase::running)
    return {};
  if (are_holders_missing(found) && now_ms < holders_until_ms_) {
    looks_again_ = true;
    effects_.emplace_back(retry_later{holders_pause_ms, {}});
    return settle();
  }
  perform(logic_->cabinet_found(found));
  return settle();
}

run_effects pattern_run::outputs_loaded(place_id place,
                                        runtime::expected<models::tensor_list> outputs,
                                        std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (loading_.erase(place) == 0 || phase_ == phase::over)
    return {};
  perform(logic_->outputs_loaded(place, std::move(outputs)));
  return settle();
}

run_effects pattern_run::step_saved(std::uint32_t step, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (phase_ != phase::running)
    return {};
  ++steps_saved_;
  perform(logic_->step_stored(step));
  return settle();
}

run_effects pattern_run::fail(const runtime::failure& error, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (phase_ == phase::created || phase_ == phase::running)
    end_with({error, steps_saved_ > 0});
  return settle();
}

run_effects pattern_run::look_at_clock(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (now_ms < next_look_ms())
    return {};
  add_due_hedges();
  if (now_ms < look_at_ms_)
    return settle();
  if (phase_ == phase::created)
    end_with({{error_code::timeout, "the time of the job is over", {}}, steps_saved_ > 0});
  if (phase_ == phase::ending) {
    withdraw_if(false);
  }
  return settle();
}

run_effects pattern_run::stop(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (phase_ == phase::over)
    return {};
  withdraw_if(false);
  phase_ = phase::ending;
  return settle();
}

std::vector<std::string> pattern_run::in_hand() const {
  std::vector<std::string> result;
  for (auto& [id, live] : live_)
    result.push_back(id);
  return result;
}

std::string pattern_run::describe() const {
  constexpr const char* phases[] = {"created", "running", "ending", "over"};
  return std::string{to_string(arguments_.spec.kind)} + ", "
         + phases[static_cast<std::size_t>(phase_)] + ", " + std::to_string(open_.size())
         + " places open, " + std::to_string(live_.size()) + " executions";
}

void pattern_run::perform(pattern_actions actions) {
  for (auto& action : actions)
    if (phase_ != phase::over)
      std::visit([this](auto& wish) { act(wish); }, action);
}

void pattern_run::act(launch& wish) {
  std::vector<place_id> group;
  for (auto& plan : wish.group) {
    const auto id = plan.id;
    attempts_.open(id, plan.retry, plan.shared_input);
    open_[id] = {std::move(plan), wish.distinct_nodes, 0, false};
    auto& bound_to = open_[id].plan.include;
    if (bound_to.size() == 1)
      prior_.bind(id, bound_to.front());
    attempts_.skip_numbers(id, prior_.last_attempt(id));
    if (prior_.has(id)) {
      returning_.push_back(id);
      continue;
    }
    group.push_back(id);
  }
  if (!group.empty())
    queue_.push_back(std::move(group));
}

void pattern_run::act(find_holders&) {
  effects_.emplace_back(find_cabinet{arguments_.spec.cabinet, arguments_.spec.nodes});
}

void pattern_run::act(load_outputs& wish) {
  loading_.insert(wish.place);
  effects_.emplace_back(std::move(wish));
}

void pattern_run::act(store_step& wish) {
  effects_.emplace_back(save_step{wish.step, std::move(wish.outputs)});
}

void pattern_run::act(finish& end) {
  phase_ = phase::ending;
  engine_finished news{std::move(end.result), {}};
  note_verdicts(end.verdicts, news.scores);
  if (news.result.verified.reached)
    news.result.verified.reached_at = now_ms_;
  effects_.emplace_back(std::move(news));
  withdraw_if(end.await_stragglers);
  look_at_ms_ = now_ms_ + arguments_.straggler_wait_ms;
}

void pattern_run::act(give_up& end) {
  end_with({std::move(end.error), end.rolled_back});
}

void pattern_run::act(judge_straggler& news) {
  auto found = answered_.find(news.judged.execution_id);
  if (found == answered_.end() || phase_ != phase::ending)
    return;
  auto score = score_of(news.judged, found->second);
  effects_.emplace_back(straggler_scored{std::move(found->second), std::move(score)});
  answered_.erase(found);
}

void pattern_run::note_verdicts(const std::vector<verdict>& verdicts,
                                std::vector<node_scored>& scores) {
  for (auto& judged : verdicts) {
    auto found = answered_.find(judged.execution_id);
    if (found == answered_.end())
      continue;
    scores.push_back(score_of(judged, found->second));
    effects_.emplace_back(execution_changed{std::move(found->second)});
    answered_.erase(found);
  }
}

node_scored pattern_run::score_of(const verdict& judged, execution_record& record) const {
  record.verdict = judged.agreed ? "agreed" : "disagreed";
  // The result holds what agreed; only the others are kept to be looked at.
  if (judged.agreed)
    record.outputs.clear();
  const auto points = judged.agreed ? arguments_.points_agreed : arguments_.points_disagreed;
  return {record.node_id, record.id, points};
}

void pattern_run::end_with(engine_failed failure) {
  effects_.emplace_back(std::move(failure));
  withdraw_if(false);
  phase_ = phase::ending;
}

run_effects pattern_run::settle() {
  if (phase_ == phase::running && now_ms_ >= look_at_ms_)
    perform(logic_->time_is_up());
  while (phase_ == phase::running && !returning_.empty()) {
    const auto place = returning_.front();
    returning_.pop_front();
    play_back(place);
  }
  if (phase_ == phase::running)
    place_queued();
  if (phase_ == phase::ending && live_.empty() && loading_.empty()) {
    phase_ = phase::over;
    effects_.emplace_back(engine_done{});
  }
  return std::exchange(effects_, {});
}

}  // namespace dim::actors
