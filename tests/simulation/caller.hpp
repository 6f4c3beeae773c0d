#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <caf/all.hpp>

#include "actors/router/messages.hpp"
#include "runtime/random_source.hpp"
#include "runtime/service.hpp"
#include "tests/simulation/client.hpp"

namespace dim::simulation {

/// One direct inference that the caller is going to ask for.
struct planned_inference {
  actors::run_inference request;
  std::int64_t ask_at_ms = 0;
  /// When the caller goes away; negative: it stays.
  std::int64_t withdraw_at_ms = -1;
  models::tensor_list right_outputs;
};

struct caller_arguments {
  runtime::service<caf::actor> entry;
  std::vector<planned_inference> inferences;
  /// A good answer must have the right outputs.
  bool checks_answers = true;
  /// Nothing happens to the orchestrator or on the way to it: every request must be answered in its
  /// time.
  bool expects_answers = false;
  std::shared_ptr<client_record> record;
};

/// Draws `count` direct inferences of the sample models, over `span_ms` from `start_ms` on.
std::vector<planned_inference> plan_inferences(std::size_t count, std::int64_t start_ms,
                                               std::int64_t span_ms,
                                               runtime::random_source& random);

/// CALLER asks for direct inferences through ENTRY, as gateways of another process do, and checks
/// each answer: one in time, of the right outputs, or with an error that says what has happened.
caf::actor spawn_caller(caf::actor_system& system, caller_arguments arguments);

}  // namespace dim::simulation
