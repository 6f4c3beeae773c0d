#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/engine/attempts.hpp"
#include "actors/engine/messages.hpp"
#include "actors/engine/pattern.hpp"
#include "actors/engine/prior_work.hpp"
#include "actors/job/messages.hpp"
#include "runtime/ids.hpp"

namespace dim::actors {

/// What a run starts from. All times are milliseconds since the Unix epoch.
struct run_arguments {
  job_spec spec;
  std::string job_id;
  /// Of the job's present engine: it is in every execution.
  std::uint32_t epoch = 0;
  /// When the job's time is over.
  std::int64_t deadline_ms = 0;
  /// chained: the outputs of the steps that are stored already.
  std::vector<models::tensor_list> step_outputs;
  /// What earlier engines of the job have left in the store, and how long the nodes of a cabinet
  /// may take to come back after a restart.
  std::vector<execution_record> prior;
  std::uint32_t adopt_wait_ms = 0;
  /// How long executions may go on that run when a replicated job has its answer.
  std::uint32_t straggler_wait_ms = 30'000;
  /// For a node whose answer agreed with the consensus, or did not.
  std::int32_t points_agreed = 5;
  std::int32_t points_disagreed = -10;
  /// Of the ids and of the jitter.
  std::uint64_t seed = 0;
};

/// Asks for `due`, `delay_ms` from now.
struct retry_later {
  std::uint64_t delay_ms = 0;
  retry_due due;
};

/// What a run wants done: messages to SCHEDULER (the first three), a timer, a load of bytes, and
/// messages to JOB (the rest).
using run_effect = std::variant<place_executions, withdraw_execution, find_cabinet, retry_later,
                                load_outputs, execution_changed, save_step, engine_finished,
                                engine_failed, straggler_scored, engine_done>;
using run_effects = std::vector<run_effect>;

/// The pure half of ENGINE: turns the messages of its peers into what its pattern must know, and
/// what the pattern wants into messages.
///
///   created --start--> running --finish, give up, stop--> ending --nothing runs any more--> over
///
/// It keeps the record of every execution, tries failed ones again (attempts.hpp), and drops what
/// belongs to executions that it has given up or never made. `engine_done` is its last effect,
/// once, and comes after exactly one of `engine_finished` and `engine_failed`, or alone after
/// `stop`. Every input but `stop` may come at any time in any order; after the end all are ignored.
///
/// The way of a place, from its launch to its one outcome:
///
///   opened --an earlier engine left records--> played back: its failures count, its answer is the
///     |                                        answer, its execution is taken up at its node
///     '--no records, or all of them failures--> queued --> placed --> running --> answered
///                                                 ^                      |
///                                                 '---- pause <---failed-+--too often--> failed
///
/// Hedging: where the job asks for it, an execution that has had its node for `hedge_after_ms`
/// without an answer gets a second one on another node. The first answer wins, the other one is
/// withdrawn; the failure of one decides nothing while the other lives.
class pattern_run {
public:
  explicit pattern_run(run_arguments arguments);

  /// Whether `start` is to bring the models' specs.
  bool needs_model_specs() const {
    return logic_->needs_model_specs();
  }

  run_effects start(std::vector<models::model_spec> model_specs, std::int64_t now_ms);
  run_effects placed(const execution_placed& news, std::int64_t now_ms);
  run_effects running(const execution_running& news, std::int64_t now_ms);
  run_effects ended(const execution_ended& news, std::int64_t now_ms);
  /// The pause before an attempt is over, or, for attempt 0, that before another look for holders.
  run_effects retry(const retry_due& due, std::int64_t now_ms);
  run_effects cabinet_found(const cabinet_nodes& found, std::int64_t now_ms);
  run_effects outputs_loaded(place_id place, runtime::expected<models::tensor_list> outputs,
                             std::int64_t now_ms);
  run_effects step_saved(std::uint32_t step, std::int64_t now_ms);
  /// Something that the pattern can not do without has failed: the job fails with it.
  run_effects fail(const runtime::failure& error, std::int64_t now_ms);
  /// Looks whether the job's time, or that of its stragglers, is over.
  run_effects look_at_clock(std::int64_t now_ms);
  /// Withdraws everything and ends.
  run_effects stop(std::int64_t now_ms);

  /// When `look_at_clock` has something to do.
  std::int64_t next_look_ms() const noexcept;
  bool is_over() const noexcept {
    return phase_ == phase::over;
  }
  /// Ids of the executions that SCHEDULER has in hand.
  std::vector<std::string> in_hand() const;
  /// One line for the shell.
  std::string describe() const;

private:
  enum class phase : std::uint8_t { created, running, ending, over };

  /// A place that has no outcome yet.
  struct open_place {
    place_plan plan;
    bool distinct = false;
    /// The attempt whose pause is not over yet; 0 when there is none.
    std::uint32_t pausing = 0;
    /// It has, or had, a second execution beside the first.
    bool hedged = false;
  };
  /// An execution that SCHEDULER has in hand.
  struct live_execution {
    place_id place;
    bool distinct = false;
    execution_record record;
    /// Made by an earlier engine: its record tells of its placement.
    bool adopted = false;
    /// When it gets a second one beside it; 0: never.
    std::int64_t hedge_at_ms = 0;
  };

  void perform(pattern_actions actions);
  void act(launch& wish);
  void act(find_holders&);
  void act(load_outputs& wish);
  void act(store_step& wish);
  void act(finish& end);
  void act(give_up& end);
  void act(judge_straggler& news);

  // pattern_run_adoption.cpp
  /// Plays back what an earlier engine has left at this place.
  void play_back(place_id place);
  void adopt(place_id place, std::vector<execution_record> records);
  void withdraw_all(place_id place, std::vector<execution_record> records);
  /// Whether nodes that had a part in the job before a restart, or fewer than it needs, are away.
  bool are_holders_missing(const cabinet_nodes& found) const;
  /// What no place has asked for until the end is given up.
  void drop_prior();

  // pattern_run_hedges.cpp
  bool may_hedge(place_id place) const;
  void plan_hedge(live_execution& live);
  void add_due_hedges();
  bool has_rival(place_id place) const;
  /// Another execution has answered at this place.
  void withdraw_rivals(place_id place);

  // pattern_run_executions.cpp
  /// Sends the groups whose turn it is. Of places that ask for distinct nodes one group at a time
  /// looks for nodes, because the next one must know which it got.
  void place_queued();
  bool is_any_unplaced() const;
  /// What every execution at this place asks for.
  execution_request request_at(place_id place, const place_plan& plan) const;
  /// Asks for a new execution at this place, and follows it from now on.
  execution_request make_request(place_id place, const open_place& open);
  std::uint64_t time_left_ms() const;
  void withdraw(live_execution& live);
  void add_distinct_filters(execution_request& request) const;
  void close_record(live_execution& live, const execution_ended& news);
  void note_node(live_execution& live, const std::string& node_id, const std::string& owner);
  void take_answer(place_id place, execution_record record, const models::tensor_list& outputs);
  void take_failure(const live_execution& live, const execution_ended& news);
  void fail_place(place_id place, const std::string& node_id, runtime::failure error);
  /// Gives up what waits, and unless `only_unplaced` also what runs and what is being loaded.
  void withdraw_if(bool only_unplaced);
  void note_verdicts(const std::vector<verdict>& verdicts, std::vector<node_scored>& scores);
  node_scored score_of(const verdict& judged, execution_record& record) const;
  void end_with(engine_failed failure);
  void end_when_quiet();
  run_effects settle();

  run_arguments arguments_;
  std::unique_ptr<pattern_logic> logic_;
  attempts attempts_;
  runtime::id_source ids_;
  phase phase_ = phase::created;
  std::int64_t now_ms_ = 0;
  std::int64_t look_at_ms_ = 0;
  /// Until then nodes that are away after a restart are waited for.
  std::int64_t holders_until_ms_ = 0;
  bool looks_again_ = false;

  std::map<place_id, open_place> open_;
  std::deque<std::vector<place_id>> queue_;
  std::map<std::string, live_execution> live_;
  /// replicated: answered executions by id, for their verdicts.
  std::map<std::string, execution_record> answered_;
  std::set<place_id> loading_;
  prior_work prior_;
  /// Places that are to be played back.
  std::deque<place_id> returning_;
  /// Nodes that run an execution of a place that asks for distinct nodes, or have answered one, and
  /// their owners.
  std::map<std::string, std::string> used_nodes_;
  /// Set once no further distinct node was found: others of this job need not wait for one.
  std::optional<runtime::failure> no_more_nodes_;
  /// Steps whose outputs are stored.
  std::size_t steps_saved_ = 0;
  run_effects effects_;
};

}  // namespace dim::actors
