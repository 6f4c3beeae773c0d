#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/fault/job_maker.hpp"
#include "tools/fault/load_plan.hpp"
#include "tools/fault/patient_client.hpp"
#include "tools/fault/recorder.hpp"

namespace dim::tools {

/// The clients of a run: submits each job at its time, until it is acknowledged, and again or
/// cancels it, as its plan says.
class submitter {
public:
  /// `run_name` makes the keys of this run its own.
  submitter(const address& gateway, recorder& records, run_clock& clock, const job_maker& maker,
            std::vector<planned_job> jobs, std::string run_name);

  /// Works until all is done, or the clock is stopped, or `give_up_ms` has come.
  void run(std::int64_t give_up_ms);

private:
  enum class step : std::uint8_t { submit, resubmit, cancel };
  struct task {
    step what = step::submit;
    std::size_t job = 0;
    std::string job_id;
  };

  /// Returns when to try again; 0 for never.
  std::int64_t perform(const task& next);
  std::int64_t submit(const task& next);
  std::int64_t cancel(const task& next);
  void plan_second_thoughts(std::size_t job, const std::string& job_id);

  patient_client client_;
  recorder& records_;
  run_clock& clock_;
  const job_maker& maker_;
  std::vector<planned_job> jobs_;
  std::string run_name_;
  std::multimap<std::int64_t, task> tasks_;
};

}  // namespace dim::tools
