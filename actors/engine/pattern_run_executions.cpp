// The second half of pattern_run: executions, from the place that asks for them to their end.
#include <algorithm>
#include <utility>

#include "actors/engine/pattern_run.hpp"
#include "models/tensor.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

execution_state state_after(error_code code) {
  switch (code) {
    case error_code::none:
      return execution_state::completed;
    case error_code::node_lost:
      return execution_state::lost;
    case error_code::cancelled:
      return execution_state::cancelled;
    default:
      return execution_state::failed;
  }
}

/// Whether a job's answer is made of several answers, so that each is stored as it comes. Elsewhere
/// the one answer becomes the result, or the step, in the same moment.
bool keeps_answers(pattern kind) {
  return kind == pattern::replicated || kind == pattern::comparative
         || kind == pattern::collaborative;
}

execution_record record_from(const execution_request& request, std::int64_t now_ms) {
  execution_record record;
  record.id = request.execution_id;
  record.job_id = request.job_id;
  record.epoch = request.epoch;
  record.step = request.step;
  record.slot = request.slot;
  record.attempt = request.attempt;
  record.model = request.model.model;
  record.version = request.model.version;
  record.scheduled_at = now_ms;
  return record;
}

}  // namespace

run_effects pattern_run::placed(const execution_placed& news, std::int64_t now_ms) {
  now_ms_ = now_ms;
  auto found = live_.find(news.execution_id);
  if (found == live_.end())
    return {};
  auto& live = found->second;
  note_node(live, news.node_id, news.node_owner);
  if (!live.adopted) {
    live.record.placement = news.placement;
    effects_.emplace_back(execution_changed{live.record});
  }
  plan_hedge(live);
  return settle();
}

run_effects pattern_run::running(const execution_running& news, std::int64_t now_ms) {
  now_ms_ = now_ms;
  auto found = live_.find(news.execution_id);
  if (found == live_.end() || found->second.record.state != execution_state::scheduled)
    return {};
  auto& record = found->second.record;
  record.state = execution_state::running;
  record.device = news.device;
  record.started_at = now_ms;
  return {execution_changed{record}};
}

run_effects pattern_run::ended(const execution_ended& news, std::int64_t now_ms) {
  now_ms_ = now_ms;
  auto found = live_.find(news.execution_id);
  if (found == live_.end())
    return {};
  auto live = std::move(found->second);
  live_.erase(found);
  close_record(live, news);
  if (news.error.code != error_code::none) {
    // JOB knows nothing of a second execution that never had a node.
    if (!live.record.node_id.empty() || !has_rival(live.place))
      effects_.emplace_back(execution_changed{live.record});
    take_failure(live, news);
    return settle();
  }
  if (keeps_answers(arguments_.spec.kind))
    live.record.outputs = news.outputs;
  effects_.emplace_back(execution_changed{live.record});
  take_answer(live.place, std::move(live.record), news.outputs);
  return settle();
}

void pattern_run::take_answer(place_id place, execution_record record,
                              const models::tensor_list& outputs) {
  withdraw_rivals(place);
  open_.erase(place);
  place_answer answer{place, record.id, record.node_id, outputs, record.result_digest, record.rows};
  if (arguments_.spec.kind == pattern::replicated)
    answered_[record.id] = std::move(record);
  perform(logic_->answered(std::move(answer)));
}

run_effects pattern_run::retry(const retry_due& due, std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (due.attempt == 0 && phase_ == phase::running && std::exchange(looks_again_, false))
    return {find_cabinet{arguments_.spec.cabinet, arguments_.spec.nodes}};
  const place_id place{due.step, due.slot};
  auto found = open_.find(place);
  if (phase_ != phase::running || found == open_.end() || due.attempt == 0
      || found->second.pausing != due.attempt)
    return {};
  found->second.pausing = 0;
  found->second.hedged = false;
  queue_.push_back({place});
  return settle();
}

void pattern_run::close_record(live_execution& live, const execution_ended& news) {
  if (!news.node_id.empty())
    note_node(live, news.node_id, {});
  auto& record = live.record;
  record.state = state_after(news.error.code);
  record.completed_at = now_ms_;
  record.rows = news.rows;
  record.error = news.error;
  record.killed_agent = news.killed_agent;
  record.logs = news.logs;
  if (!news.device.empty())
    record.device = news.device;
  if (!news.placement.empty())
    record.placement = news.placement;
  if (news.error.code == error_code::none)
    record.result_digest =
      news.result_digest.empty() ? models::canonical_digest(news.outputs) : news.result_digest;
}

void pattern_run::take_failure(const live_execution& live, const execution_ended& news) {
  auto& node_id = live.record.node_id;
  // It has given no answer, so another replica may run there; this one avoids it.
  used_nodes_.erase(node_id);
  if (live.distinct && news.error.code == error_code::no_nodes)
    no_more_nodes_ = news.error;
  if (phase_ != phase::running)
    return;
  const failed_attempt what{node_id, news.error, news.killed_agent, live.record.attempt};
  if (has_rival(live.place)) {
    if (auto judged = attempts_.failed_beside(live.place, what)) {
      withdraw_rivals(live.place);
      fail_place(live.place, node_id, std::move(*judged));
    }
    return;
  }
  auto decision = attempts_.failed(live.place, what);
  if (auto next = std::get_if<next_attempt>(&decision)) {
    open_.at(live.place).pausing = next->attempt;
    retry_due due{live.place.slot, next->attempt, live.place.step};
    effects_.emplace_back(retry_later{next->delay_ms, due});
    return;
  }
  fail_place(live.place, node_id, std::move(std::get<runtime::failure>(decision)));
}

void pattern_run::fail_place(place_id place, const std::string& node_id, runtime::failure error) {
  open_.erase(place);
  perform(logic_->failed({place, node_id, std::move(error)}));
}

void pattern_run::note_node(live_execution& live, const std::string& node_id,
                            const std::string& owner) {
  live.record.node_id = node_id;
  if (!live.distinct)
    return;
  auto& known_owner = used_nodes_[node_id];
  if (!owner.empty())
    known_owner = owner;
}

bool pattern_run::is_any_unplaced() const {
  return std::any_of(live_.begin(), live_.end(), [](auto& entry) {
    return entry.second.distinct && entry.second.record.node_id.empty();
  });
}

void pattern_run::place_queued() {
  while (!queue_.empty()) {
    auto group = queue_.front();
    std::erase_if(group, [this](place_id id) { return !open_.contains(id); });
    const bool is_distinct = !group.empty() && open_.at(group.front()).distinct;
    if (is_distinct && is_any_unplaced())
      return;
    queue_.pop_front();
    if (is_distinct && no_more_nodes_) {
      for (auto id : group)
        fail_place(id, {}, *no_more_nodes_);
      continue;
    }
    place_executions wish;
    wish.time_left_ms = time_left_ms();
    for (auto id : group)
      wish.group.push_back(make_request(id, open_.at(id)));
    if (!wish.group.empty())
      effects_.emplace_back(std::move(wish));
  }
}

execution_request pattern_run::request_at(place_id place, const place_plan& plan) const {
  auto& spec = arguments_.spec;
  execution_request request;
  request.job_id = arguments_.job_id;
  request.step = place.step;
  request.slot = place.slot;
  request.model = spec.steps.at(place.step);
  request.inputs = plan.inputs;
  request.cabinet = spec.cabinet;
  request.reduce = spec.reduce;
  request.histogram_bins = spec.histogram_bins;
  request.histogram_low = spec.histogram_low;
  request.histogram_high = spec.histogram_high;
  request.deterministic = spec.kind == pattern::replicated;
  request.include = plan.include.empty() ? spec.nodes.include : plan.include;
  request.exclude = spec.nodes.exclude;
  request.required_cpu = spec.required_cpu;
  request.required_memory = spec.required_memory;
  request.required_gpu = spec.required_gpu;
  request.priority = spec.priority;
  request.submitted_by = spec.submitted_by;
  return request;
}

execution_request pattern_run::make_request(place_id place, const open_place& open) {
  auto request = request_at(place, open.plan);
  request.execution_id = ids_.next(now_ms_);
  request.epoch = arguments_.epoch;
  request.attempt = attempts_.take_number(place);
  request.avoid = open.plan.avoid;
  for (auto& node : attempts_.avoided_for(place))
    request.avoid.push_back(node);
  if (open.distinct)
    add_distinct_filters(request);
  live_[request.execution_id] = {place, open.distinct, record_from(request, now_ms_), false, 0};
  return request;
}

std::uint64_t pattern_run::time_left_ms() const {
  return static_cast<std::uint64_t>(
    std::max<std::int64_t>(arguments_.deadline_ms - now_ms_, 0));
}

void pattern_run::add_distinct_filters(execution_request& request) const {
  std::set<std::string> owners;
  for (auto& [node, owner] : used_nodes_) {
    request.exclude.push_back(node);
    if (!owner.empty())
      owners.insert(owner);
  }
  request.avoid_owners.assign(owners.begin(), owners.end());
}

void pattern_run::withdraw_if(bool only_unplaced) {
  open_.clear();
  queue_.clear();
  if (!only_unplaced)
    loading_.clear();
  drop_prior();
  for (auto entry = live_.begin(); entry != live_.end();) {
    if (only_unplaced && !entry->second.record.node_id.empty()) {
      ++entry;
      continue;
    }
    withdraw(entry->second);
    entry = live_.erase(entry);
  }
}

void pattern_run::withdraw(live_execution& live) {
  auto& record = live.record;
  effects_.emplace_back(withdraw_execution{record.id});
  record.state = execution_state::cancelled;
  record.completed_at = now_ms_;
  // JOB knows nothing of an execution that never had a node.
  if (!record.node_id.empty())
    effects_.emplace_back(execution_changed{std::move(record)});
}

}  // namespace dim::actors
