#pragma once

#include "actors/engine/execution_record.hpp"
#include "actors/job/job_record.hpp"

/// Which state a job is in after a piece of news. Pure.
namespace dim::actors {

/// The state of a job that was in `state` when one of its executions has come to `execution`.
/// A job only moves forward, and a terminal state never changes.
job_state state_after_execution(job_state state, execution_state execution) noexcept;

/// The state of a job that was in `state` when its engine has ended with `error`.
job_state state_after_engine(job_state state, const runtime::failure& error) noexcept;

/// The event kind that tells of an execution in this state: "execution_started", ...
const char* event_kind_of(execution_state state) noexcept;

/// The event kind that tells of a job in this state: "job_completed", ...
const char* event_kind_of(job_state state) noexcept;

}  // namespace dim::actors
