#pragma once

#include <vector>

#include "gateway/job_draft.hpp"
#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// What one submission asks for.
struct job_submission {
  actors::job_spec spec;
  /// The inputs of each job of an array; empty: one job, with those of `spec`.
  std::vector<models::tensor_list> array;
};

/// Reads a submission. The failure names every problem in `details`, each as "path: words"
/// ("inputs[0].shape[1]: expected ..."). Errors: bad_input; unsupported, when all that is wrong
/// is a member that waits for command jobs (`docker_image`, `command`, `environment`).
runtime::expected<job_submission> read_job(const runtime::bytes& body, const job_limits& limits);

}  // namespace dim::gateway
