#include "actors/job/job_phase.hpp"

namespace dim::actors {

job_state state_after_execution(job_state state, execution_state execution) noexcept {
  if (is_terminal(state) || state == job_state::running)
    return state;
  return execution == execution_state::scheduled ? job_state::scheduled : job_state::running;
}

job_state state_after_engine(job_state state, const runtime::failure& error) noexcept {
  if (is_terminal(state))
    return state;
  if (error.code == runtime::error_code::none)
    return job_state::completed;
  return error.code == runtime::error_code::cancelled ? job_state::cancelled : job_state::failed;
}

const char* event_kind_of(execution_state state) noexcept {
  switch (state) {
    case execution_state::scheduled:
      return "execution_scheduled";
    case execution_state::running:
      return "execution_started";
    case execution_state::completed:
      return "execution_completed";
    case execution_state::failed:
      return "execution_failed";
    case execution_state::lost:
      return "execution_lost";
    case execution_state::cancelled:
      return "execution_cancelled";
  }
  return "execution_changed";
}

const char* event_kind_of(job_state state) noexcept {
  switch (state) {
    case job_state::pending:
      return "job_submitted";
    case job_state::scheduled:
      return "job_scheduled";
    case job_state::running:
      return "job_running";
    case job_state::completed:
      return "job_completed";
    case job_state::failed:
      return "job_failed";
    case job_state::cancelled:
      return "job_cancelled";
  }
  return "job_changed";
}

}  // namespace dim::actors
