#pragma once

#include "actors/job/job_record.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// Writes a job as `GET /api/v1/jobs/{id}` shows it, with every member always there and null
/// where it is empty. `result` may be null: the job has none, or it is one of a list, which
/// leaves results out.
void write_job(json_writer& out, const actors::job_record& job, const actors::job_result* result);

}  // namespace dim::gateway
