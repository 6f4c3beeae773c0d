#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/job/messages.hpp"
#include "runtime/random_source.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::simulation {

/// One job that the client is going to submit, and what it will do with it.
struct planned_job {
  actors::submit_job request;
  std::int64_t submit_at_ms = 0;
  /// Negative: never.
  std::int64_t cancel_at_ms = -1;
  /// When it submits the same again, under the same key; negative: only if no answer came.
  std::int64_t resubmit_at_ms = -1;
  /// Outputs that a completed job may have; empty: not known.
  std::vector<models::tensor_list> right_outputs;
};

/// Makes the submissions of a workload out of the sample models, in the order of time, from
/// `start_ms` on. `nodes` is the size of the cluster.
std::vector<planned_job> plan_jobs(const scenario::workload& load, std::uint32_t nodes,
                                   std::int64_t start_ms, runtime::random_source& random);

}  // namespace dim::simulation
