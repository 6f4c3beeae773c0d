// How DISPATCHER brings back a job whose JOB actor has crashed.
#include "actors/job/dispatcher.hpp"

#include "actors/job/job_phase.hpp"
#include "actors/store/records.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

/// Pause before what a full store has refused is tried again.
constexpr std::int64_t close_pause_ms = 1'000;

/// Gives up an execution that nobody follows any more.
void append_loss(execution_record& execution, std::int64_t now, const char* why,
                 commit_changes& commit) {
  execution.state = execution_state::lost;
  execution.completed_at = now;
  execution.error = {runtime::error_code::node_lost, why, {}};
  commit.changes.push_back(change_for_execution(execution));
  event news;
  news.topic = topic_jobs;
  news.kind = event_kind_of(execution.state);
  news.job_id = execution.job_id;
  news.at = now;
  news.execution_id = execution.id;
  news.node_id = execution.node_id;
  commit.events.push_back(std::move(news));
}

}  // namespace

void dispatcher_state::close_stragglers(std::vector<unfinished_stragglers> left) {
  auto store = arguments.services.store.get();
  if (left.empty() || !store)
    return;
  commit_changes commit;
  commit.term = self->id();
  auto now = runtime::wall_ms(self->home_system());
  for (auto& each : left) {
    for (auto& execution : each.executions)
      append_loss(execution, now, "its job had ended, and nobody followed it", commit);
    commit.changes.push_back(erase_stragglers(each.job_id));
  }
  self->request(store, caf::infinite, std::move(commit))
    .then([](const commit_result&) {},
          [this, left](const caf::error& what) {
            runtime::log(runtime::log_level::error, name, "could not close what ended jobs left",
                         {{"reason", runtime::to_failure(what).message}});
            unclosed.insert(unclosed.end(), left.begin(), left.end());
            close_again_at = runtime::wall_ms(self->home_system()) + close_pause_ms;
          });
}

void dispatcher_state::rebuild(const std::string& job_id) {
  // The last commit of the crashed JOB may still wait for the disk.
  after_commits([this, job_id] { load_crashed(job_id); });
}

void dispatcher_state::load_crashed(const std::string& job_id) {
  auto queries = arguments.services.queries.get();
  if (!queries)
    return;
  self->request(queries, caf::infinite, load_unfinished{job_id})
    .then(
      [this, job_id](unfinished_jobs& stored) {
        close_stragglers(std::move(stored.stragglers));
        if (stored.jobs.empty())
          return answer_readers(job_id, job_state::completed);
        auto& one = stored.jobs.front();
        one.record.rebuilds = std::max(one.record.rebuilds, crashes[job_id]) + 1;
        crashes[job_id] = one.record.rebuilds;
        if (one.record.rebuilds > arguments.options.job_rebuilds_max)
          return fail_job(std::move(one.record));
        job_arguments work;
        work.record = std::move(one.record);
        work.step_outputs = std::move(one.step_outputs);
        work.is_resumed = true;
        hold(std::move(work));
      },
      [job_id](const caf::error& what) {
        runtime::log(runtime::log_level::error, name, "could not rebuild job",
                     {{"job_id", job_id}, {"reason", runtime::to_failure(what).message}});
      });
}

void dispatcher_state::fail_job(job_record record) {
  auto queries = arguments.services.queries.get();
  if (!queries)
    return;
  auto id = record.id;
  self->request(queries, caf::infinite, get_executions{id})
    .then(
      [this, record](execution_list& stored) {
        store_failure(record, std::move(stored.executions));
      },
      [id](const caf::error& what) {
        runtime::log(runtime::log_level::error, name, "could not read the executions of job",
                     {{"job_id", id}, {"reason", runtime::to_failure(what).message}});
      });
}

void dispatcher_state::store_failure(job_record record, std::vector<execution_record> executions) {
  auto store = arguments.services.store.get();
  if (!store)
    return;
  auto now = runtime::wall_ms(self->home_system());
  auto before = std::exchange(record.state, job_state::failed);
  record.completed_at = now;
  record.error = {runtime::error_code::internal,
                  "the job's actor crashed " + std::to_string(record.rebuilds) + " times",
                  {}};
  commit_changes commit;
  commit.term = self->id();
  append_changes_for_job(record, before, commit);
  event news;
  news.topic = topic_jobs;
  news.job_id = record.id;
  news.at = now;
  auto scheduler = arguments.services.scheduler.get();
  for (auto& execution : executions) {
    if (execution.state > execution_state::running)
      continue;
    append_loss(execution, now, "the job failed without it", commit);
    if (scheduler)
      self->send(scheduler, withdraw_execution{execution.id});
  }
  news.kind = event_kind_of(record.state);
  news.detail = "{\"code\":\"internal\"}";
  commit.events.push_back(std::move(news));
  self->request(store, caf::infinite, std::move(commit))
    .then([this, id = record.id](const commit_result&) { answer_readers(id, job_state::failed); },
          [id = record.id](const caf::error& what) {
            runtime::log(runtime::log_level::error, name, "could not store the failure of job",
                         {{"job_id", id}, {"reason", runtime::to_failure(what).message}});
          });
}

}  // namespace dim::actors
