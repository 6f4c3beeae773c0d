// pattern_run after a restart: what an earlier engine has left is played back and taken up.
#include <algorithm>
#include <optional>
#include <utility>

#include "actors/engine/pattern_run.hpp"

namespace dim::actors {

void pattern_run::play_back(place_id place) {
  std::vector<execution_record> unfinished;
  std::optional<next_attempt> next;
  while (auto record = open_.contains(place) ? prior_.next(place) : std::nullopt) {
    attempts_.skip_numbers(place, record->attempt);
    if (record->state <= execution_state::running) {
      unfinished.push_back(std::move(*record));
      continue;
    }
    if (record->state == execution_state::completed) {
      withdraw_all(place, std::move(unfinished));
      auto outputs = record->outputs;
      take_answer(place, std::move(*record), outputs);
      return;
    }
    const failed_attempt what{record->node_id, record->error, record->killed_agent,
                              record->attempt};
    std::optional<runtime::failure> end;
    if (!unfinished.empty()) {
      end = attempts_.failed_beside(place, what);
    } else {
      auto decision = attempts_.failed(place, what);
      if (auto failure = std::get_if<runtime::failure>(&decision))
        end = std::move(*failure);
      else
        next = std::get<next_attempt>(decision);
    }
    if (end) {
      withdraw_all(place, std::move(unfinished));
      fail_place(place, what.node_id, std::move(*end));
      return;
    }
  }
  auto& open = open_.at(place);
  if (!unfinished.empty()) {
    open.hedged = unfinished.size() > 1;
    adopt(place, std::move(unfinished));
    return;
  }
  open.pausing = attempts_.next_number(place);
  effects_.emplace_back(
    retry_later{next ? next->delay_ms : 0, {place.slot, open.pausing, place.step}});
}

void pattern_run::adopt(place_id place, std::vector<execution_record> records) {
  auto& open = open_.at(place);
  for (auto& record : records) {
    auto request = request_at(place, open.plan);
    request.execution_id = record.id;
    request.epoch = record.epoch;
    request.attempt = record.attempt;
    request.adopted_node = record.node_id;
    auto id = record.id;
    auto& live = live_[id] = {place, open.distinct, std::move(record), true, 0};
    note_node(live, request.adopted_node, {});
    plan_hedge(live);
    effects_.emplace_back(place_executions{{std::move(request)}, time_left_ms()});
  }
}

void pattern_run::withdraw_all(place_id place, std::vector<execution_record> records) {
  for (auto& record : records) {
    live_execution live{place, false, std::move(record), true, 0};
    withdraw(live);
  }
}

bool pattern_run::are_holders_missing(const cabinet_nodes& found) const {
  if (found.node_ids.size() < arguments_.spec.nodes.min)
    return true;
  return std::any_of(prior_.nodes().begin(), prior_.nodes().end(), [&found](auto& node) {
    return std::find(found.node_ids.begin(), found.node_ids.end(), node) == found.node_ids.end();
  });
}

void pattern_run::drop_prior() {
  returning_.clear();
  for (auto& record : prior_.take_unfinished()) {
    effects_.emplace_back(withdraw_execution{record.id});
    record.state = execution_state::lost;
    record.completed_at = now_ms_;
    record.error = {runtime::error_code::node_lost,
                    "the job went on without it after a restart of the orchestrator",
                    {}};
    effects_.emplace_back(execution_changed{std::move(record)});
  }
}

}  // namespace dim::actors
