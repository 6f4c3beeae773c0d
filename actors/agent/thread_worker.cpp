#include "actors/agent/thread_worker.hpp"

#include <utility>

#include "actors/type_ids.hpp"

namespace dim::actors {

thread_worker_state::~thread_worker_state() {
  if (inference)
    caf::anon_send_exit(inference, caf::exit_reason::kill);
}

void thread_worker_state::start(const start_worker& wish) {
  if (inference)
    end({runtime::error_code::cancelled, "another worker is started", {}});
  token = wish.token;
  inference = make(*self, order.cores);
  self->monitor(inference);
  self->send(listener, agent_ready{token, 0,
                                   decorate ? decorate(*self, order.label, inference) : inference});
}

void thread_worker_state::kill(const kill_worker& wish) {
  if (inference && wish.token == token)
    end(wish.cause);
}

void thread_worker_state::note_down(const caf::down_msg& news) {
  if (inference && news.source == inference.address())
    end({runtime::error_code::agent_lost, "the inference thread has ended", {}});
}

void thread_worker_state::end(runtime::failure cause) {
  auto ended = std::exchange(inference, nullptr);
  self->demonitor(ended.address());
  self->send_exit(ended, caf::exit_reason::kill);
  self->send(listener, worker_ended{token, std::move(cause), {}});
}

worker_host_actor::behavior_type thread_worker(thread_worker_state::self_pointer self,
                                               worker_order order, worker_listener_actor listener,
                                               inference_factory make,
                                               inference_decorator decorate) {
  auto& state = self->state;
  state.order = std::move(order);
  state.listener = std::move(listener);
  state.make = std::move(make);
  state.decorate = std::move(decorate);
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  return {
    [&state](const start_worker& wish) { state.start(wish); },
    [&state](const kill_worker& wish) { state.kill(wish); },
  };
}

}  // namespace dim::actors
