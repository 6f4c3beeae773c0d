#include "tests/simulation/simulated_inference.hpp"

#include <algorithm>
#include <chrono>
#include <map>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/caf_errors.hpp"
#include "tests/simulation/sample_models.hpp"

namespace dim::simulation {

namespace {

using runtime::error_code;
using namespace actors;

/// INTERNAL: the forward with this number is over.
using timed_inference = inference_actor::extend<caf::reacts_to<std::uint64_t>>;

struct simulated_inference_state {
  static inline const char* name = "INFERENCE";
  using self_pointer = runtime::actor_self<timed_inference, simulated_inference_state>;

  struct forward {
    run_batch order;
    forward_fate fate;
    caf::typed_response_promise<batch_result> promise;
  };

  caf::result<batch_result> begin(self_pointer self, run_batch& order) {
    auto promise = self->make_response_promise<batch_result>();
    auto fate = plan(model);
    auto now = runtime::clock_ns(self->home_system()) / 1'000;
    free_at_us = std::max(free_at_us, now) + fate.cost_us;
    forwards.emplace(++last, forward{std::move(order), fate, promise});
    self->delayed_send(self, std::chrono::microseconds{free_at_us - now}, last);
    return promise;
  }

  void end(self_pointer self, std::uint64_t number) {
    auto node = forwards.extract(number);
    if (node.empty())
      return;
    auto& [order, fate, promise] = node.mapped();
    if (fate.crashes)
      return self->quit(runtime::to_error(error_code::agent_lost, "killed by the simulation"));
    if (fate.out_of_memory) {
      promise.deliver(runtime::to_error(error_code::memory_limit, "no memory is left"));
      return;
    }
    batch_result result{order.batch_id, {}, static_cast<std::uint64_t>(fate.cost_us)};
    for (auto& request : order.requests)
      result.outputs.push_back(fate.is_wrong ? wrong_answer(model, request, fate.number)
                                             : right_answer(model, request));
    promise.deliver(std::move(result));
  }

  forward_plan plan;
  std::string model;
  std::map<std::uint64_t, forward> forwards;
  std::uint64_t last = 0;
  std::int64_t free_at_us = 0;
};

timed_inference::behavior_type simulated_inference(simulated_inference_state::self_pointer self,
                                                   forward_plan plan) {
  auto& state = self->state;
  state.plan = std::move(plan);
  return {
    [&state](const load_model& order) {
      state.model = order.spec.name;
      return model_loaded{1'000, 1'000'000};
    },
    [self, &state](run_batch& order) { return state.begin(self, order); },
    [self, &state](std::uint64_t number) { state.end(self, number); },
  };
}

}  // namespace

inference_factory make_simulated_inference(forward_plan plan) {
  return [plan](caf::local_actor& parent, const std::vector<std::uint32_t>&) -> inference_actor {
    return parent.spawn(simulated_inference, plan);
  };
}

}  // namespace dim::simulation
