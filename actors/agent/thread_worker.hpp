#pragma once

#include <string>

#include "actors/agent/worker_host.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

/// THREAD is the worker host of INFERENCE inside the node's own process. A thread can not be
/// killed: one that hangs in a forward is left behind with its core, and a new one is started.
struct thread_worker_state {
  static inline const char* name = "THREAD";
  using self_pointer = runtime::actor_self<worker_host_actor, thread_worker_state>;

  explicit thread_worker_state(self_pointer pointer) : self(pointer) {
  }
  /// INFERENCE ends with its host, after the forward that runs.
  ~thread_worker_state();

  void start(const start_worker& order);
  void kill(const kill_worker& order);
  void note_down(const caf::down_msg& news);
  std::string describe() const {
    return order.label + (inference ? ", running" : ", empty");
  }

  self_pointer self;
  worker_order order;
  worker_listener_actor listener;
  inference_factory make;
  inference_decorator decorate;

private:
  void end(runtime::failure cause);

  std::string token;
  inference_actor inference;
};

worker_host_actor::behavior_type thread_worker(thread_worker_state::self_pointer self,
                                               worker_order order, worker_listener_actor listener,
                                               inference_factory make,
                                               inference_decorator decorate = {});

}  // namespace dim::actors
