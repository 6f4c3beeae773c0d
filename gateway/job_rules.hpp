#pragma once

#include "gateway/job_draft.hpp"
#include "gateway/problem_list.hpp"

namespace dim::gateway {

/// Checks the rules between the members of a submission and fills in what was not given:
///
/// - each pattern needs its members and refuses those of others;
/// - an `array` stands in place of `inputs`;
/// - replicated: consensus k of n = redundancy nodes needs n/2 < k <= n; k defaults to the
///   majority;
/// - comparative: at least two different models, one weight each where the vote is weighted;
/// - collaborative: a trim only for `trimmed_mean`, a range only for `histogram`, nodes.min <= max.
///
/// The job is meaningful only when no problem was added.
actors::job_spec apply_job_rules(job_draft draft, problem_list& problems);

}  // namespace dim::gateway
