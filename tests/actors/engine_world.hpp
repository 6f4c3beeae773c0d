#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "tests/actors/engine_draws.hpp"

namespace dim::tests {

using namespace dim::actors;
using runtime::error_code;

/// Plays SCHEDULER, JOB and the clock to one run, with every choice drawn from a seed: where groups
/// go, how executions end and in which order, what comes twice or too late, when the job stops, and
/// when its engine crashes, so that another one goes on from what is stored. Checks after every
/// step what must always hold.
class world {
public:
  world(pattern kind, std::uint64_t seed) : random_(seed), kind_(kind), draws_(kind, random_) {
    arguments_.spec = draws_.spec();
    arguments_.job_id = "job";
    arguments_.deadline_ms = now_ms_ + static_cast<std::int64_t>(arguments_.spec.timeout_ms);
    arguments_.seed = seed;
    arguments_.adopt_wait_ms = random_.below(2) == 0 ? 0 : 1'000;
    nodes_ = 1 + random_.below(9);
    run_.emplace(arguments_);
  }

  void play() {
    start();
    for (steps_ = 0; !run_->is_over() && steps_ < 5'000; ++steps_)
      step();
    CHECK(run_->is_over());
    CHECK(done_ == 1);
    const auto ends = finished_ + failed_;
    CHECK(ends <= 1);
    if (!was_stopped_)
      CHECK(ends == 1);
    CHECK(flights_.empty());
    if (finished_ > 0)
      check_result();
  }

  /// How often another engine went on with work that was in hand.
  std::size_t adopted() const {
    return adopted_;
  }

  /// How the run ended, so that the campaign can check that it saw every end.
  std::string ending() const {
    return finished_ > 0 ? (result_.partial ? "partial" : "completed")
           : failed_ > 0 ? std::string{to_string(error_)}
                         : "stopped";
  }

private:
  struct flight {
    execution_request request;
    /// Empty while it waits for a node.
    std::string node;
    std::size_t group = 0;
    /// The present engine has asked for it.
    bool is_known = true;
  };

  void start() {
    take(run_->start(std::vector<models::model_spec>(arguments_.spec.steps.size(), model_of(2, 2)),
                     now_ms_));
  }

  /// The engine is gone, and another one starts from the store, where a step that was being stored
  /// is or is not. Nodes keep what they have.
  void crash() {
    if (finished_ + failed_ > 0 || was_stopped_)
      return;
    if (auto save = std::exchange(save_, std::nullopt); save && random_.below(2) == 0)
      arguments_.step_outputs.push_back(std::move(save->outputs));
    std::erase_if(flights_, [](auto& entry) { return entry.second.node.empty(); });
    for (auto& [id, entry] : flights_)
      entry.is_known = false;
    attempts_.clear();
    arguments_.prior.clear();
    for (auto& [id, record] : records_) {
      arguments_.prior.push_back(record);
      auto& last = attempts_[{record.step, record.slot}];
      last = std::max(last, record.attempt);
    }
    retries_.clear();
    loads_.clear();
    wants_cabinet_ = false;
    ++arguments_.epoch;
    ++arguments_.seed;
    run_.emplace(arguments_);
    start();
  }

  void step() {
    now_ms_ += static_cast<std::int64_t>(random_.below(50));
    switch (random_.below(12)) {
      case 0:
        return repeat_old_news();
      case 1:
        return fire_retry();
      case 2:
        return answer_pending();
      case 3:
        return look_at_clock();
      case 4:
        if (random_.below(60) == 0 && !was_stopped_) {
          was_stopped_ = true;
          take(run_->stop(now_ms_));
        }
        if (random_.below(40) == 0)
          crash();
        return;
      case 5:
      case 6:
      case 7:
        return place_group();
      default:
        return end_one();
    }
  }

  void look_at_clock() {
    // Time runs out only where nothing else is left to happen, or now and then.
    if ((flights_.empty() && retries_.empty() && !has_pending()) || random_.below(200) == 0)
      now_ms_ = std::max(now_ms_, run_->next_look_ms());
    take(run_->look_at_clock(now_ms_));
  }

  bool has_pending() const {
    return wants_cabinet_ || save_ || !loads_.empty();
  }

  void answer_pending() {
    if (std::exchange(wants_cabinet_, false)) {
      cabinet_nodes found;
      for (std::uint64_t node = 0; node < nodes_; ++node)
        if (random_.below(3) > 0)
          found.node_ids.push_back("n" + std::to_string(node));
      return take(run_->cabinet_found(found, now_ms_));
    }
    if (auto save = std::exchange(save_, std::nullopt)) {
      if (random_.below(20) == 0)
        return take(run_->fail({error_code::store_full, "full", {}}, now_ms_));
      arguments_.step_outputs.push_back(std::move(save->outputs));
      return take(run_->step_saved(save->step, now_ms_));
    }
    if (!loads_.empty()) {
      auto load = loads_.back();
      loads_.pop_back();
      runtime::expected<models::tensor_list> outputs = draws_.bytes_of(load.outputs);
      if (random_.below(10) == 0)
        outputs = runtime::fail(error_code::not_found, "gone");
      take(run_->outputs_loaded(load.place, std::move(outputs), now_ms_));
    }
  }

  void fire_retry() {
    if (retries_.empty())
      return;
    auto index = random_.below(retries_.size());
    auto due = retries_[index];
    if (random_.below(5) > 0)
      retries_.erase(retries_.begin() + static_cast<std::ptrdiff_t>(index));
    take(run_->retry(due, now_ms_));
  }

  std::vector<std::string> waiting_group() {
    std::vector<std::string> ids;
    for (auto& [id, entry] : flights_)
      if (entry.node.empty() && (ids.empty() || entry.group == flights_.at(ids[0]).group))
        ids.push_back(id);
    return ids;
  }

  void place_group() {
    const auto ids = waiting_group();
    std::set<std::string> taken;
    std::vector<std::string> chosen;
    for (auto& id : ids) {
      auto nodes = fitting_nodes(flights_.at(id).request, nodes_, taken);
      if (nodes.empty())
        break;
      chosen.push_back(nodes[random_.below(nodes.size())]);
      taken.insert(chosen.back());
    }
    const bool is_placed = chosen.size() == ids.size();
    for (std::size_t index = 0; index < ids.size(); ++index) {
      auto entry = flights_.find(ids[index]);
      if (entry == flights_.end())
        continue;
      if (is_placed) {
        entry->second.node = chosen[index];
        note_placement(entry->second);
        take(run_->placed({ids[index], chosen[index], "", {}}, now_ms_));
        continue;
      }
      execution_ended news;
      news.execution_id = ids[index];
      news.error = {error_code::no_nodes, "too few", {}};
      finish_flight(entry, news);
    }
  }

  void note_placement(const flight& entry) {
    if (kind_ == pattern::replicated)
      CHECK_MESSAGE(used_nodes_.insert(entry.node).second, "two replicas on ", entry.node);
    if (kind_ == pattern::collaborative)
      CHECK(entry.request.include == std::vector<std::string>{entry.node});
  }

  void end_one() {
    std::vector<std::string> ids;
    for (auto& [id, entry] : flights_)
      if (!entry.node.empty() && entry.is_known)
        ids.push_back(id);
    if (ids.empty())
      return;
    auto found = flights_.find(ids[random_.below(ids.size())]);
    if (random_.below(3) == 0)
      return take(run_->running({found->first, "cpu:0"}, now_ms_));
    finish_flight(found, draw_end(found->second));
  }

  execution_ended draw_end(const flight& entry) {
    execution_ended news;
    news.execution_id = entry.request.execution_id;
    news.node_id = entry.node;
    news.rows = 1 + random_.below(100);
    if (random_.below(3) == 0) {
      news.error = {draws_.error(), "drawn", {}};
      news.killed_agent = news.error.code == error_code::agent_lost && random_.below(3) > 0;
      used_nodes_.erase(entry.node);
      return news;
    }
    news.outputs = draws_.outputs();
    news.result_digest = models::canonical_digest(news.outputs);
    return news;
  }

  void finish_flight(std::map<std::string, flight>::iterator entry, const execution_ended& news) {
    if (news.error.code == error_code::none)
      answers_[news.execution_id] = entry->second.node;
    flights_.erase(entry);
    old_news_.push_back(news);
    take(run_->ended(news, now_ms_));
  }

  void repeat_old_news() {
    if (!old_news_.empty())
      CHECK(run_->ended(old_news_[random_.below(old_news_.size())], now_ms_).empty());
  }

  void take(run_effects effects) {
    for (auto& effect : effects) {
      CHECK_MESSAGE(done_ == 0, "an effect after engine_done");
      std::visit([this](auto& wish) { note(wish); }, effect);
    }
  }

  void note(place_executions& wish) {
    CHECK_MESSAGE(finished_ + failed_ == 0, "a launch after the end");
    CHECK(wish.time_left_ms > 0);
    ++groups_;
    for (auto& request : wish.group) {
      if (!request.adopted_node.empty()) {
        note_adoption(request);
        continue;
      }
      const place_id place{request.step, request.slot};
      places_.insert(place);
      CHECK(ids_.insert(request.execution_id).second);
      auto number = ++attempts_[place];
      // Those of a cabinet's holders go with the node, wherever it stands among them.
      if (kind_ != pattern::collaborative)
        CHECK(request.attempt == number);
      flights_[request.execution_id] = {request, "", groups_, true};
    }
    if (kind_ == pattern::replicated)
      CHECK(places_.size() <= 2 * arguments_.spec.redundancy + 1);
  }
  void note_adoption(const execution_request& request) {
    ++adopted_;
    auto& entry = flights_.at(request.execution_id);
    CHECK_FALSE(entry.is_known);
    entry.is_known = true;
    CHECK(entry.node == request.adopted_node);
    CHECK(entry.request.epoch == request.epoch);
    CHECK(entry.request.attempt == request.attempt);
    CHECK(entry.request.inputs == request.inputs);
  }
  void note(withdraw_execution& wish) {
    CHECK(flights_.erase(wish.execution_id) == 1);
  }
  void note(find_cabinet&) {
    wants_cabinet_ = true;
  }
  void note(retry_later& wish) {
    CHECK(wish.delay_ms <= arguments_.spec.retry.backoff_max_ms);
    retries_.push_back(wish.due);
  }
  void note(load_outputs& wish) {
    loads_.push_back(wish);
  }
  void note(save_step& wish) {
    CHECK_FALSE(save_);
    save_ = std::move(wish);
  }
  void note(execution_changed& news) {
    CHECK(ids_.contains(news.record.id));
    records_[news.record.id] = news.record;
    if (news.record.state <= execution_state::running)
      CHECK_FALSE(news.record.node_id.empty());
  }
  void note(engine_finished& news) {
    ++finished_;
    result_ = news.result;
    for (auto& score : news.scores)
      note_score(score);
  }
  void note(engine_failed& news) {
    ++failed_;
    error_ = news.error.code;
    CHECK(error_ != error_code::none);
    CHECK(finished_ == 0);
  }
  void note(straggler_scored& news) {
    CHECK(finished_ == 1);
    CHECK(news.record.id == news.score.execution_id);
    note_score(news.score);
  }
  void note(engine_done&) {
    ++done_;
  }

  void note_score(const node_scored& score) {
    CHECK(scored_.insert(score.execution_id).second);
    CHECK(answers_.at(score.execution_id) == score.node_id);
    CHECK((score.points == 5 || score.points == -10));
  }

  void check_result() const {
    CHECK(failed_ == 0);
    CHECK(result_.partial != result_.missing.empty());
    if (kind_ == pattern::replicated) {
      auto& verified = result_.verified;
      CHECK(verified.agreeing_nodes.size() >= arguments_.spec.consensus);
      CHECK(verified.votes == verified.agreeing_nodes.size() + verified.disagreeing_nodes.size());
      CHECK(result_.digest == models::canonical_digest(result_.outputs));
    } else {
      CHECK(scored_.empty());
    }
    if (kind_ == pattern::comparative)
      CHECK(result_.participants.size() == arguments_.spec.steps.size());
    if (kind_ == pattern::collaborative)
      CHECK(result_.participants.size() - result_.missing.size()
            >= std::max(arguments_.spec.nodes.min, 1u));
  }

  runtime::random_source random_;
  pattern kind_;
  engine_draws draws_;
  run_arguments arguments_;
  std::optional<pattern_run> run_;
  std::int64_t now_ms_ = 1'000'000;
  std::uint64_t nodes_ = 0;
  std::size_t steps_ = 0;

  std::map<std::string, flight> flights_;
  std::vector<execution_ended> old_news_;
  std::vector<retry_due> retries_;
  std::vector<load_outputs> loads_;
  std::optional<save_step> save_;
  std::map<std::string, execution_record> records_;
  std::size_t adopted_ = 0;
  bool wants_cabinet_ = false, was_stopped_ = false;

  std::size_t groups_ = 0;
  std::set<std::string> ids_;
  std::set<place_id> places_;
  std::map<place_id, std::uint32_t> attempts_;
  std::set<std::string> used_nodes_;
  std::map<std::string, std::string> answers_;
  std::set<std::string> scored_;
  int finished_ = 0, failed_ = 0, done_ = 0;
  job_result result_;
  error_code error_ = error_code::none;
};

}  // namespace dim::tests
