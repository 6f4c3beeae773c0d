#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "actors/agent/inference_work.hpp"
#include "actors/agent/interface.hpp"
#include "actors/agent/worker_host.hpp"
#include "runtime/actor_base.hpp"

/// Part of `dim::inference`, which links LibTorch.
namespace dim::actors {

/// INFERENCE: one model, loaded once, and its forwards, one after the other. It blocks while it
/// runs, so it has a thread of its own: in a `dim-agent` process, or detached in a node. At the end
/// of a channel in shared memory it is a `channel_inference` instead.
struct inference_state {
  static inline const char* name = "INFERENCE";
  static constexpr bool has_lane = true;
  static constexpr bool works_long = true;
  using self_pointer = runtime::actor_self<inference_actor, inference_state>;

  caf::result<model_loaded> load(const load_model& order);
  caf::result<batch_result> run(const run_batch& order);
  std::string describe() const {
    return work.describe();
  }

  self_pointer self = nullptr;
  /// Cores that the thread is bound to before the model is loaded; none: not bound.
  std::vector<std::uint32_t> cores;

private:
  inference_work work;
};

inference_actor::behavior_type inference(inference_state::self_pointer self,
                                         std::vector<std::uint32_t> cores);

/// Spawns INFERENCE on a detached thread; what a node needs for models with `isolation = "thread"`.
inference_factory make_inference_factory();

}  // namespace dim::actors
