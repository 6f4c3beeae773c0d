#pragma once

#include <utility>

#include <caf/all.hpp>

#include "runtime/system.hpp"
#include "runtime/thread_binding.hpp"

namespace dim::runtime {

/// The one factory of detached actors: every actor that calls LibTorch, the disk or anything else
/// that blocks is made here. Under simulation it makes a cooperative actor instead, since a
/// detached one is a real thread. `Spawner` is an `actor_system` or the parent (`self`), as for
/// `spawn`.
template <class Spawner, class Function, class... Arguments>
auto spawn_detached(caf::actor_system& system, Spawner& spawner, Function function,
                    Arguments&&... arguments) {
  if (context_of(system).cooperative)
    return spawner.spawn(function, std::forward<Arguments>(arguments)...);
  unbound_scope everywhere;
  return spawner.template spawn<caf::detached>(function, std::forward<Arguments>(arguments)...);
}

}  // namespace dim::runtime
