#include "actors/job/job.hpp"

#include <algorithm>

#include "actors/engine/engine.hpp"
#include "actors/job/job_meters.hpp"
#include "actors/job/job_phase.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

/// Pause before a commit that STORE refused is tried again.
constexpr auto commit_pause = std::chrono::seconds{1};

bool compares_answers(pattern kind) {
  return kind == pattern::replicated || kind == pattern::comparative;
}

}  // namespace

void job_actor_state::initialise(self_pointer pointer, job_arguments values) {
  self = pointer;
  arguments = std::move(values);
  self->monitor(arguments.dispatcher);
  self->set_down_handler([this](const caf::down_msg&) {
    self->quit(runtime::to_error(error_code::unavailable, "the dispatcher has ended"));
  });
  if (arguments.is_resumed)
    resume();
  else
    start_engine({});
}

void job_actor_state::resume() {
  // Without a node for its first execution a job is still pending.
  if (arguments.record.state == job_state::pending)
    return take_up({});
  auto queries = arguments.services.queries.get();
  if (!queries) {
    self->quit(runtime::to_error(error_code::unavailable, "the store is away"));
    return;
  }
  self->request(queries, caf::infinite, get_executions{arguments.record.id})
    .then(
      [this](execution_list& stored) { take_up(std::move(stored.executions)); },
      [this](const caf::error& what) { self->quit(what); });
}

void job_actor_state::take_up(std::vector<execution_record> prior) {
  for (auto& execution : prior)
    told[execution.id] = execution.state;
  ++arguments.record.epoch;
  append_changes_for_job(arguments.record, arguments.record.state, unwritten);
  add_event(topic_jobs, "job_resumed", nullptr);
  start_engine(std::move(prior));
  flush();
}

void job_actor_state::start_engine(std::vector<execution_record> prior) {
  engine_arguments plan;
  plan.prior = std::move(prior);
  plan.adopt_wait_ms = arguments.is_resumed ? arguments.options.adopt_wait_ms : 0;
  plan.spec = arguments.record.spec;
  plan.job_id = arguments.record.id;
  plan.epoch = arguments.record.epoch;
  plan.deadline_ms =
    arguments.record.submitted_at + static_cast<std::int64_t>(arguments.record.spec.timeout_ms);
  plan.step_outputs = std::move(arguments.step_outputs);
  plan.straggler_wait_ms = arguments.options.straggler_wait_ms;
  plan.points_agreed = arguments.reputation.agreed;
  plan.points_disagreed = arguments.reputation.disagreed;
  plan.scheduler = arguments.services.scheduler;
  plan.models = arguments.services.models;
  plan.job = job_actor{self};
  engine = self->spawn<caf::linked>(actors::engine, std::move(plan));
  engine_runs = true;
}

void job_actor_state::note_execution(const execution_changed& news) {
  auto& record = arguments.record;
  auto next = state_after_execution(record.state, news.record.state);
  if (next != record.state) {
    auto before = std::exchange(record.state, next);
    if (next == job_state::running)
      record.started_at = runtime::wall_ms(self->home_system());
    append_changes_for_job(record, before, unwritten);
    add_event(topic_jobs, event_kind_of(next), nullptr);
  }
  auto stored = news.record;
  detach_large(stored.outputs, unwritten.blobs);
  unwritten.changes.push_back(change_for_execution(stored));
  auto [last, is_new] = told.try_emplace(news.record.id, news.record.state);
  if (is_new || std::exchange(last->second, news.record.state) != news.record.state) {
    add_event(topic_jobs, event_kind_of(news.record.state), &news.record);
    job_meters::shared().count(news.record);
  }
  note_end(news.record);
  const auto kind = record.spec.kind;
  if (news.record.state == execution_state::completed && !is_terminal(record.state))
    has_more_to_come = kind == pattern::single || kind == pattern::chained;
  if (has_stragglers && !runs_still()) {
    has_stragglers = false;
    unwritten.changes.push_back(erase_stragglers(record.id));
  }
  flush();
}

void job_actor_state::note_end(const execution_record& record) {
  if (record.state == execution_state::completed || record.state == execution_state::failed)
    ends.push_back({record.node_id, record.id, record.epoch});
}

caf::result<step_saved> job_actor_state::save(save_step& request) {
  auto promise = self->make_response_promise<step_saved>();
  auto& record = arguments.record;
  if (is_terminal(record.state))
    return runtime::to_error(error_code::conflict, "the job has ended");
  detach_large(request.outputs, unwritten.blobs);
  unwritten.changes.push_back(change_for_step(record.id, request.step, request.outputs));
  record.steps_done = std::max(record.steps_done, request.step + 1);
  append_changes_for_job(record, record.state, unwritten);
  add_event(topic_jobs, "step_stored", nullptr);
  step_promises.emplace_back(promise, request.step);
  has_more_to_come = false;
  flush();
  return promise;
}

void job_actor_state::finish(engine_finished& news) {
  if (is_terminal(arguments.record.state))
    return;
  if (news.result.verified.reached)
    news.result.verified.reached_at = runtime::wall_ms(self->home_system());
  if (compares_answers(arguments.record.spec.kind))
    job_meters::shared().count_consensus(true);
  append_changes_for_result(arguments.record.id, news.result, unwritten);
  scores = std::move(news.scores);
  end(job_state::completed, {});
}

void job_actor_state::fail(engine_failed& news) {
  auto& record = arguments.record;
  if (is_terminal(record.state))
    return;
  if (compares_answers(record.spec.kind) && news.error.code == error_code::no_consensus)
    job_meters::shared().count_consensus(false);
  if (news.rolled_back) {
    for (std::uint32_t step = 0; step < record.steps_done; ++step)
      unwritten.changes.push_back(erase_step(record.id, step));
    record.steps_done = 0;
    add_event(topic_jobs, "steps_rolled_back", nullptr);
  }
  end(state_after_engine(record.state, news.error), std::move(news.error));
}

void job_actor_state::score_straggler(const straggler_scored& news) {
  auto stored = news.record;
  detach_large(stored.outputs, unwritten.blobs);
  unwritten.changes.push_back(change_for_execution(stored));
  add_event(topic_jobs, "straggler_scored", &news.record);
  scores.push_back(news.score);
  flush();
}

caf::result<job_status> job_actor_state::cancel() {
  auto& record = arguments.record;
  if (is_terminal(record.state))
    return runtime::to_error(error_code::conflict,
                             "the job has ended: it is " + std::string{to_string(record.state)});
  auto promise = self->make_response_promise<job_status>();
  cancel_promises.push_back(promise);
  stop_engine_now();
  end(job_state::cancelled, {error_code::cancelled, "cancelled on request", {}});
  return promise;
}

void job_actor_state::end_for_lack_of_time() {
  if (is_terminal(arguments.record.state))
    return;
  stop_engine_now();
  end(job_state::failed,
      {error_code::timeout,
       "the job did not end within " + std::to_string(arguments.record.spec.timeout_ms) + " ms",
       {}});
}

void job_actor_state::stop_engine_now() {
  // It tells how its executions ended before it is done.
  if (engine_runs)
    self->send(engine, stop_engine{});
}

void job_actor_state::end(job_state state, runtime::failure error) {
  auto& record = arguments.record;
  auto before = std::exchange(record.state, state);
  record.completed_at = runtime::wall_ms(self->home_system());
  record.error = std::move(error);
  job_meters::shared().count(record);
  has_more_to_come = false;
  append_changes_for_job(record, before, unwritten);
  has_stragglers = runs_still();
  if (has_stragglers)
    unwritten.changes.push_back(change_for_stragglers(record.id));
  add_event(topic_jobs, event_kind_of(state), nullptr);
  if (state == job_state::completed)
    add_event(topic_results, "result_ready", nullptr);
  flush();
}

void job_actor_state::add_event(const char* topic, const char* kind,
                                const execution_record* about) {
  event news;
  news.topic = topic;
  news.kind = kind;
  news.job_id = arguments.record.id;
  news.at = runtime::wall_ms(self->home_system());
  const runtime::failure& error = about != nullptr ? about->error : arguments.record.error;
  if (about != nullptr) {
    news.execution_id = about->id;
    news.node_id = about->node_id;
  }
  if (error.code != error_code::none)
    news.detail = "{\"code\":\"" + std::string{to_string(error.code)} + "\"}";
  unwritten.events.push_back(std::move(news));
}

void job_actor_state::flush() {
  if (is_committing || has_more_to_come || (unwritten.changes.empty() && unwritten.events.empty()))
    return;
  auto store = arguments.services.store.get();
  if (!store)
    return;
  is_committing = true;
  ending_is_under_way = is_terminal(arguments.record.state) && !is_ended;
  steps_under_way = std::exchange(step_promises, {});
  ends_under_way = std::exchange(ends, {});
  scores_under_way = std::exchange(scores, {});
  auto commit = std::exchange(unwritten, {});
  commit.term = arguments.term;
  self->request(store, caf::infinite, commit)
    .then([this](const commit_result&) { note_committed(); },
          [this, commit](const caf::error& what) { note_commit_failed(commit, what); });
}

void job_actor_state::note_committed() {
  is_committing = false;
  for (auto& [promise, step] : std::exchange(steps_under_way, {}))
    promise.deliver(step_saved{step});
  auto scheduler = arguments.services.scheduler.get();
  if (scheduler && !ends_under_way.empty())
    self->send(scheduler, executions_stored{std::exchange(ends_under_way, {})});
  if (std::exchange(ending_is_under_way, false)) {
    is_ended = true;
    auto& record = arguments.record;
    self->send(arguments.dispatcher, job_ended{record.id, record.state});
    for (auto& promise : std::exchange(cancel_promises, {}))
      promise.deliver(job_status{record.id, record.state});
  }
  auto registry = arguments.services.registry.get();
  if (registry && !scores_under_way.empty())
    self->send(registry, score_nodes{arguments.record.id, std::exchange(scores_under_way, {})});
  flush();
  quit_when_over();
}

void job_actor_state::note_commit_failed(const commit_changes& commit, const caf::error& what) {
  // Another DISPATCHER has taken over, and rebuilds the job from what is stored.
  if (runtime::to_failure(what).code == error_code::conflict)
    return self->quit(what);
  is_committing = false;
  ending_is_under_way = false;
  runtime::log(runtime::log_level::error, name, "could not store news of the job; trying again",
               {{"job_id", arguments.record.id}, {"reason", runtime::to_failure(what).message}});
  auto later = std::exchange(unwritten, commit);
  unwritten.changes.insert(unwritten.changes.end(), later.changes.begin(), later.changes.end());
  unwritten.events.insert(unwritten.events.end(), later.events.begin(), later.events.end());
  unwritten.blobs.insert(unwritten.blobs.end(), later.blobs.begin(), later.blobs.end());
  step_promises.insert(step_promises.begin(), steps_under_way.begin(), steps_under_way.end());
  steps_under_way.clear();
  ends.insert(ends.begin(), ends_under_way.begin(), ends_under_way.end());
  ends_under_way.clear();
  scores.insert(scores.begin(), scores_under_way.begin(), scores_under_way.end());
  scores_under_way.clear();
  self->delayed_send(self, commit_pause, caf::tick_atom_v);
}

void job_actor_state::note_engine_done() {
  engine_runs = false;
  quit_when_over();
}

bool job_actor_state::runs_still() const {
  return std::any_of(told.begin(), told.end(), [](const auto& each) {
    return each.second <= execution_state::running;
  });
}

void job_actor_state::quit_when_over() {
  if (!is_ended || engine_runs || is_committing || !unwritten.changes.empty())
    return;
  self->demonitor(arguments.dispatcher.address());
  self->quit();
}

std::string job_actor_state::describe() const {
  return arguments.record.id + " " + std::string{to_string(arguments.record.spec.kind)} + " "
         + std::string{to_string(arguments.record.state)} + ", epoch "
         + std::to_string(arguments.record.epoch) + (is_committing ? ", committing" : "");
}

job_actor::behavior_type job(job_actor_state::self_pointer self, job_arguments arguments) {
  auto& state = self->state;
  state.initialise(self, std::move(arguments));
  return {
    [&state](const cancel_job&) { return state.cancel(); },
    [&state](job_deadline_passed) { state.end_for_lack_of_time(); },
    [&state](const execution_changed& news) { state.note_execution(news); },
    [&state](save_step& request) { return state.save(request); },
    [&state](engine_finished& news) { state.finish(news); },
    [&state](engine_failed& news) { state.fail(news); },
    [&state](const straggler_scored& news) { state.score_straggler(news); },
    [&state](engine_done) { state.note_engine_done(); },
    [&state](caf::tick_atom) { state.flush(); },
  };
}

}  // namespace dim::actors
