#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <caf/all.hpp>

#include "tests/simulation/simulator.hpp"

namespace dim::simulation {

/// Asks an actor of `host` from within that host and steps on until the reply comes; nothing when
/// it is an error or does not come in `wait_ms` of virtual time.
template <class Reply, class Handle, class Question>
std::optional<Reply> ask(simulator& sim, host_id host, const Handle& target, Question question,
                         std::int64_t wait_ms = 1'000) {
  if (!target)
    return std::nullopt;
  auto reply = std::make_shared<std::optional<Reply>>();
  auto failed = std::make_shared<bool>(false);
  sim.as(host, [&] {
    sim.system().spawn<caf::hidden>([=](caf::event_based_actor* self) {
      self->request(target, caf::infinite, question)
        .then([reply](Reply& x) { *reply = std::move(x); },
              [failed](caf::error&) { *failed = true; });
    });
  });
  auto until = sim.now_ms() + wait_ms;
  while (!*reply && !*failed && sim.now_ms() < until && sim.step()) {
  }
  return *reply;
}

}  // namespace dim::simulation
