#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "actors/agent/interface.hpp"
#include "actors/agent/worker_host.hpp"
#include "actors/faults/fault_board.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// FAULTY INFERENCE as it sees itself.
using faulty_inference_actor = inference_actor::extend<
  // INTERNAL: the time of a slow forward is over.
  caf::reacts_to<caf::tick_atom>>;

/// FAULTY INFERENCE stands between AGENT and INFERENCE where faults are enabled: forwards take
/// longer, answer with other numbers, or run out of memory, as the board says. It ends with the
/// INFERENCE behind it, without an answer for what is on its way, exactly as that would.
struct faulty_inference_state {
  static inline const char* name = "FAULTY INFERENCE";
  using self_pointer = runtime::actor_self<faulty_inference_actor, faulty_inference_state>;

  explicit faulty_inference_state(self_pointer pointer) : self(pointer) {
  }

  caf::result<batch_result> run(run_batch& order);
  /// Delivers the results whose time has come.
  void deliver_due();
  std::string describe() const;

  self_pointer self;
  inference_actor behind;
  /// Without its version.
  std::string model;
  std::shared_ptr<fault_board> board;

private:
  using promise_type = caf::typed_response_promise<batch_result>;

  void finish(promise_type promise, const forward_fault& fault, batch_result result);

  /// Results that are held back, by when they are due.
  std::multimap<std::int64_t, std::pair<promise_type, batch_result>> waiting;
};

/// `label`: of the worker, "digits-mlp:3".
faulty_inference_actor::behavior_type faulty_inference(faulty_inference_state::self_pointer self,
                                                       inference_actor behind, std::string label,
                                                       std::shared_ptr<fault_board> board);

/// The same tensors with other numbers in them, and the digests that belong to these.
models::tensor_list with_wrong_numbers(models::tensor_list outputs);

/// What a worker host puts before an INFERENCE; without a board INFERENCE itself stands there.
inference_decorator make_inference_decorator(std::shared_ptr<fault_board> board);

}  // namespace dim::actors
