#pragma once

#include <map>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/engine/interface.hpp"
#include "actors/job/interface.hpp"
#include "actors/store/interface.hpp"
#include "config/options.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// What DISPATCHER and its JOBs need of the rest.
struct job_services {
  runtime::service<store_actor> store;
  runtime::service<queries_actor> queries;
  runtime::service<models_actor> models;
  runtime::service<registry_actor> registry;
  runtime::service<scheduler_actor> scheduler;
};

struct job_arguments {
  /// As it is stored; its large inputs are detached.
  job_record record;
  /// chained, after a restart: outputs of the steps that are done.
  std::vector<models::tensor_list> step_outputs;
  /// The job was begun before, by an actor or a process that is gone.
  bool is_resumed = false;
  config::orchestrator_options options;
  config::reputation_options reputation;
  job_services services;
  dispatcher_actor dispatcher;
  /// Of its DISPATCHER, for STORE.
  std::uint64_t term = 0;
};

/// Carries one job from its plan to its stored result; the sole writer of its rows.
///
///   begun --engine finished, failed, cancelled, out of time--> ending --stored--> ended --engine
///   done--> (quits)
///
/// A job that was begun before is taken up: its new engine gets the executions that are stored, and
/// goes on where the earlier one was. An execution's node is told to forget it only when its end is
/// on disk with what followed from it. JOB ends with its DISPATCHER, which is the one to rebuild
/// it.
///
/// The job's terminal state is told to anyone only after it is on disk, and never changes. News of
/// executions is written as it comes, at most one commit under way at a time: what comes meanwhile
/// goes into the next.
struct job_actor_state {
  static inline const char* name = "JOB";
  using self_pointer = runtime::actor_self<job_actor, job_actor_state>;

  void initialise(self_pointer pointer, job_arguments values);

  void note_execution(const execution_changed& news);
  caf::result<step_saved> save(save_step& request);
  void finish(engine_finished& news);
  void fail(engine_failed& news);
  void score_straggler(const straggler_scored& news);
  caf::result<job_status> cancel();
  void end_for_lack_of_time();
  void note_engine_done();
  /// Sends what is unwritten to STORE, unless a commit is under way.
  void flush();
  std::string describe() const;

private:
  void resume();
  void take_up(std::vector<execution_record> prior);
  void start_engine(std::vector<execution_record> prior);
  /// Its end is to be acknowledged to its node once it is on disk.
  void note_end(const execution_record& record);
  void stop_engine_now();
  /// Whether an execution has not ended, as far as ENGINE has told.
  bool runs_still() const;
  void end(job_state state, runtime::failure error);
  void add_event(const char* topic, const char* kind, const execution_record* about);
  void note_committed();
  void note_commit_failed(const commit_changes& commit, const caf::error& what);
  void quit_when_over();

  self_pointer self = nullptr;
  job_arguments arguments;
  engine_actor engine;
  bool engine_runs = false;
  /// The job has ended, and executions of its ENGINE have not.
  bool has_stragglers = false;

  /// What STORE does not have yet, and whether a commit is under way.
  commit_changes unwritten;
  bool is_committing = false;
  /// An answer has come, and what follows from it comes right behind: both go into one commit.
  bool has_more_to_come = false;
  /// Executions whose ends are in `unwritten`, and in the commit under way.
  std::vector<placed_execution> ends;
  std::vector<placed_execution> ends_under_way;
  /// The commit under way carries the terminal state; it is on disk.
  bool ending_is_under_way = false;
  bool is_ended = false;
  /// Due once what they follow from is on disk: in `unwritten`, and in the commit under way.
  std::vector<node_scored> scores;
  std::vector<node_scored> scores_under_way;
  /// The state that the history has told of, by execution: a verdict that comes later is no event.
  std::map<std::string, execution_state> told;
  std::vector<caf::typed_response_promise<job_status>> cancel_promises;
  std::vector<std::pair<caf::typed_response_promise<step_saved>, std::uint32_t>> step_promises;
  std::vector<std::pair<caf::typed_response_promise<step_saved>, std::uint32_t>> steps_under_way;
};

/// JOB, started by DISPATCHER, linked to it, and linked to its ENGINE.
job_actor::behavior_type job(job_actor_state::self_pointer self, job_arguments arguments);

}  // namespace dim::actors
