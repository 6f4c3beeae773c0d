#include "actors/agent/inference.hpp"

#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/spawn.hpp"
#include "runtime/thread_binding.hpp"

namespace dim::actors {

caf::result<model_loaded> inference_state::load(const load_model& order) {
  if (!cores.empty())
    if (auto pinned = runtime::bind_this_thread(cores); !pinned)
      return runtime::to_error(pinned.error());
  auto loaded = work.load(order);
  if (!loaded)
    return runtime::to_error(loaded.error());
  return *loaded;
}

caf::result<batch_result> inference_state::run(const run_batch& order) {
  // Batches without digests are of direct inferences alone.
  if (!order.digests)
    runtime::context_of(self->home_system()).traffic.note(work.rows_of(order));
  auto done = work.run(order);
  if (!done)
    return runtime::to_error(done.error());
  return std::move(*done);
}

inference_actor::behavior_type inference(inference_state::self_pointer self,
                                         std::vector<std::uint32_t> cores) {
  auto& state = self->state;
  state.self = self;
  state.cores = std::move(cores);
  return {
    [&state](const load_model& order) { return state.load(order); },
    [&state](const run_batch& order) { return state.run(order); },
  };
}

inference_factory make_inference_factory() {
  return [](caf::local_actor& parent, const std::vector<std::uint32_t>& cores) {
    return runtime::spawn_detached(parent.system(), parent, inference, cores);
  };
}

}  // namespace dim::actors
