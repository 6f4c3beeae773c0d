#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <caf/fwd.hpp>

#include "actors/agent/interface.hpp"

/// How an AGENT gets its worker host: the seam between batching and processes.
namespace dim::actors {

/// What INFERENCE is to be started on.
struct worker_order {
  /// "digits-mlp:3", for the process's command line and for log lines.
  std::string label;
  models::isolation isolated = models::isolation::process;
  /// "cpu:0-1", "cuda:0".
  std::string device;
  /// Cores that the worker is pinned to; none: not pinned.
  std::vector<std::uint32_t> cores;
  /// Private and shared memory of the process, in bytes; beyond it, it is killed.
  std::uint64_t memory_bytes_max = 0;
};

/// Spawns a worker host as a child of `parent`, linked to it, that reports to `listener`.
using worker_host_factory = std::function<worker_host_actor(
  caf::local_actor& parent, const worker_order& order, const worker_listener_actor& listener)>;

/// Spawns INFERENCE inside this process, on a thread of its own that is bound to `cores`:
/// `make_inference_factory` of `dim::inference`. Empty in programs without LibTorch.
using inference_factory = std::function<inference_actor(caf::local_actor& parent,
                                                        const std::vector<std::uint32_t>& cores)>;

/// Puts an actor before INFERENCE, as a child of its worker host and linked to it; `label` is that
/// of the `worker_order`. Empty: AGENT talks to INFERENCE itself.
using inference_decorator = std::function<inference_actor(
  caf::local_actor& host, const std::string& label, const inference_actor& behind)>;

}  // namespace dim::actors
