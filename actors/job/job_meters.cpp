#include "actors/job/job_meters.hpp"

#include <string>

namespace dim::actors {

namespace {

using runtime::metric;

double seconds_between(std::int64_t from_ms, std::int64_t to_ms) {
  return static_cast<double>(to_ms > from_ms ? to_ms - from_ms : 0) / 1'000;
}

}  // namespace

job_meters::job_meters()
  : retries_(counter_of(metric::execution_retries)),
    agreed_(counter_of(metric::consensus, {"true"})),
    split_(counter_of(metric::consensus, {"false"})),
    share_(gauge_of(metric::consensus_reached)) {
  for (auto state : {execution_state::completed, execution_state::failed, execution_state::lost,
                     execution_state::cancelled}) {
    const runtime::label_values labels{std::string{to_string(state)}};
    executions_.emplace(state,
                        execution_meters{counter_of(metric::executions, labels),
                                         histogram_of(metric::job_execution_duration, labels)});
  }
  for (auto kind : {pattern::single, pattern::replicated, pattern::collaborative,
                    pattern::comparative, pattern::chained})
    for (auto state : {job_state::completed, job_state::failed, job_state::cancelled})
      jobs_.emplace(std::pair{kind, state},
                    histogram_of(metric::job_duration, {std::string{to_string(kind)},
                                                        std::string{to_string(state)}}));
  // Nothing has been compared, so nothing has failed.
  share_.set(1);
}

const job_meters& job_meters::shared() {
  static const job_meters meters;
  return meters;
}

void job_meters::count(const execution_record& record) const {
  auto found = executions_.find(record.state);
  if (found == executions_.end())
    return;
  found->second.ended.add();
  if (record.started_at > 0)
    found->second.duration.observe(seconds_between(record.started_at, record.completed_at));
  if (record.attempt > 1)
    retries_.add();
}

void job_meters::count(const job_record& record) const {
  if (auto found = jobs_.find({record.spec.kind, record.state}); found != jobs_.end())
    found->second.observe(seconds_between(record.submitted_at, record.completed_at));
}

void job_meters::count_consensus(bool reached) const {
  (reached ? agreed_ : split_).add();
  share_.set(agreed_.value() / (agreed_.value() + split_.value()));
}

}  // namespace dim::actors
