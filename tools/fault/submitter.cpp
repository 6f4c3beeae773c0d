#include "tools/fault/submitter.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t retry_pause_ms = 300;

}  // namespace

submitter::submitter(const address& gateway, recorder& records, run_clock& clock,
                     const job_maker& maker, std::vector<planned_job> jobs, std::string run_name)
  : client_(gateway),
    records_(records),
    clock_(clock),
    maker_(maker),
    jobs_(std::move(jobs)),
    run_name_(std::move(run_name)) {
  for (std::size_t index = 0; index < jobs_.size(); ++index)
    tasks_.emplace(jobs_[index].at_ms, task{step::submit, index, {}});
}

void submitter::run(std::int64_t give_up_ms) {
  while (!tasks_.empty() && clock_.now_ms() < give_up_ms) {
    if (!clock_.wait_until(tasks_.begin()->first))
      return;
    const auto next = tasks_.begin()->second;
    tasks_.erase(tasks_.begin());
    if (const auto again_ms = perform(next); again_ms > 0)
      tasks_.emplace(again_ms, next);
  }
  if (!tasks_.empty())
    records_.note_problem(std::to_string(tasks_.size())
                          + " requests of the workload were never answered");
}

std::int64_t submitter::perform(const task& next) {
  return next.what == step::cancel ? cancel(next) : submit(next);
}

std::int64_t submitter::submit(const task& next) {
  const auto& job = jobs_[next.job];
  const auto key = run_name_ + "-" + std::to_string(next.job);
  const auto reply = client_.post("/api/v1/jobs", maker_.body(job.pattern, key, job.seed), key);
  if (reply.may_heal())
    return clock_.now_ms() + retry_pause_ms;
  if (!reply.is_good()) {
    records_.note_problem("a " + job.pattern + " job was refused: " + reply.problem);
    return 0;
  }
  const auto id = text_at(reply.body, "id");
  records_.note_submission(key, id);
  if (next.what == step::submit)
    plan_second_thoughts(next.job, id);
  return 0;
}

void submitter::plan_second_thoughts(std::size_t job, const std::string& job_id) {
  const auto now_ms = clock_.now_ms();
  if (const auto after_ms = jobs_[job].resubmit_after_ms)
    tasks_.emplace(now_ms + *after_ms, task{step::resubmit, job, job_id});
  if (const auto after_ms = jobs_[job].cancel_after_ms)
    tasks_.emplace(now_ms + *after_ms, task{step::cancel, job, job_id});
}

std::int64_t submitter::cancel(const task& next) {
  const auto reply = client_.remove("/api/v1/jobs/" + next.job_id);
  if (reply.may_heal())
    return clock_.now_ms() + retry_pause_ms;
  if (reply.is_good())
    records_.note_sighting(next.job_id, text_at(reply.body, "status"));
  return 0;
}

}  // namespace dim::tools
