#pragma once

#include <caf/typed_actor.hpp>

#include "actors/agent/messages.hpp"

namespace dim::actors {

/// INFERENCE holds one loaded model and runs the LibTorch forward: in a `dim-agent` process, or on
/// a detached thread.
using inference_actor = caf::typed_actor<
  // Once, first. Errors: bad_model, memory_limit.
  caf::replies_to<load_model>::with<model_loaded>,
  // One forward. Errors: bad_input, memory_limit, internal (what LibTorch said).
  caf::replies_to<run_batch>::with<batch_result>>;

/// INFERENCE at the end of a channel in shared memory, and CHANNEL, which stands for it at the
/// other end, in the node.
using channel_actor = inference_actor::extend<
  // INTERNAL: the channel's bell has rung.
  caf::reacts_to<channel_rung>>;

/// AGENT serves one model version on one device and gathers requests into batches.
using agent_actor = caf::typed_actor<
  // Replies when the batch of this request is done; see `infer` for errors.
  caf::replies_to<infer>::with<infer_result>, caf::reacts_to<withdraw_infer>,
  // The same for many at once; those that end first are told ahead of the reply.
  caf::replies_to<infer_group>::with<infer_results>,
  // Never fails.
  caf::replies_to<get_agent_load>::with<agent_load>>;

/// A `dim-agent` process is up. `token` is what its command line was given.
struct agent_ready {
  std::string token;
  std::int64_t pid = 0;
  inference_actor handle;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, agent_ready& x) {
  return f(x.token, x.pid, x.handle);
}

/// AGENT as its worker host sees it.
using worker_listener_actor =
  caf::typed_actor<caf::reacts_to<agent_ready>, caf::reacts_to<worker_ended>>;

/// AGENT as its DEVICE and its worker host see it.
using agent_control_actor = agent_actor::extend_with<worker_listener_actor>::extend<
  // From DEVICE: no request follows.
  caf::reacts_to<stop_agent>,
  // From DEVICE; see the message for errors.
  caf::replies_to<warm_agent>::with<agents_set>,
  // INTERNAL.
  caf::reacts_to<agent_due>>;

/// WORKER HOST starts and ends the INFERENCE of one AGENT, to which it is linked: as a process, or
/// as a detached actor. One worker at a time.
using worker_host_actor =
  caf::typed_actor<caf::reacts_to<start_worker>, caf::reacts_to<kill_worker>>;

/// PROCESS is the worker host of `dim-agent` processes.
using agent_process_actor = worker_host_actor::extend<
  // From AGENT_ENTRY: the process has dialled in.
  caf::reacts_to<agent_ready>,
  // INTERNAL: from the launcher's thread, and from the look at the process's memory.
  caf::reacts_to<worker_ended>>;

}  // namespace dim::actors
