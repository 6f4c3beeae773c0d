#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "actors/cluster/interface.hpp"
#include "actors/engine/interface.hpp"
#include "actors/engine/output_loader.hpp"
#include "actors/engine/pattern_run.hpp"
#include "actors/job/interface.hpp"
#include "actors/store/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// What JOB starts its ENGINE with. A `seed` of 0 is drawn from the actor system's.
struct engine_arguments : run_arguments {
  runtime::service<scheduler_actor> scheduler;
  /// Knows the specs of the models, and hands out the bytes of large outputs.
  runtime::service<models_actor> models;
  job_actor job;
};

/// Runs one job's pattern: sends what `pattern_run` wants sent, and tells it what comes back. All
/// decisions are there.
///
///   spawned --first look at the clock--> asking for specs (where the pattern needs them)
///   --> running --engine_done--> (quits)
///
/// It withdraws its work only when it is stopped, or when its JOB has ended well. When it or its
/// JOB crashes, or the orchestrator is stopped, what nodes have in hand stays there: SCHEDULER is
/// told (`engine_gone`), and the job's next engine adopts it.
///
/// A lost message is noticed by the clock: ENGINE looks at it when the job's time is over, at first
/// after a second, then in doubling steps, so that an engine which ended early is soon forgotten by
/// the timers. SCHEDULER is not watched: what it forgets by a restart ends with JOB's own restart,
/// which follows, since it is started after SCHEDULER.
struct engine_state {
  static inline const char* name = "ENGINE";
  using self_pointer = runtime::actor_self<engine_actor, engine_state>;

  engine_state() = default;
  engine_state(const engine_state&) = delete;
  engine_state& operator=(const engine_state&) = delete;
  /// Tells SCHEDULER, unless the run is over.
  ~engine_state();

  void initialise(self_pointer pointer, engine_arguments values);

  void note_placed(const execution_placed& news);
  void note_running(const execution_running& news);
  void note_ended(const execution_ended& news);
  void retry(const retry_due& due);
  /// Begins, the first time; then looks whether time is over.
  void look_at_clock();
  /// JOB asked for it, or has ended well.
  void stop();
  /// JOB has ended.
  void leave(const caf::error& reason);
  std::string describe() const;

private:
  void begin_run();
  void ask_for_specs();
  void start(std::vector<models::model_spec> model_specs);
  void fail(const runtime::failure& error);
  void watch_clock();
  /// Starts or goes on with a load of outputs.
  void load_more(place_id place, const std::shared_ptr<output_loader>& loader);
  void end_load(place_id place, runtime::expected<models::tensor_list> outputs);

  /// Sends the effects, after those that are being sent now.
  void carry_out(run_effects effects);
  void send(place_executions& wish);
  void send(withdraw_execution& wish);
  void send(find_cabinet& question);
  void send(retry_later& wish);
  void send(load_outputs& wish);
  void send(save_step& wish);
  void send(engine_done& news);
  /// News for JOB that it does not answer.
  template <class News>
  void send(News& news);

  std::int64_t now_ms() const;

  self_pointer self = nullptr;
  runtime::service<scheduler_actor> scheduler;
  runtime::service<models_actor> models;
  job_actor job;
  std::vector<step_spec> steps;
  std::unique_ptr<pattern_run> run;
  /// Specs by step, and how many are still to come.
  std::vector<models::model_spec> specs;
  std::size_t specs_missing = 0;
  bool has_begun = false;
  /// When the next look at the clock is due, and the pause before it.
  std::int64_t next_tick_ms = 0;
  std::int64_t clock_pause_ms = 0;
  std::deque<run_effect> effects_waiting;
  bool is_sending = false;
};

/// ENGINE, started by JOB and linked to it.
engine_actor::behavior_type engine(engine_state::self_pointer self, engine_arguments arguments);

}  // namespace dim::actors
