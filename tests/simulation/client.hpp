#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <caf/all.hpp>

#include "actors/cluster/messages.hpp"
#include "runtime/errors.hpp"
#include "runtime/service.hpp"
#include "tests/simulation/workload.hpp"
#include "tools/scenario/history.hpp"

namespace dim::simulation {

/// What the clients have seen so far, shared with whoever watches the run.
struct client_record {
  std::function<void(const scenario::submission&)> on_submission;
  std::function<void(const scenario::sighting&)> on_sighting;
  /// What no client should ever see: a refusal for no reason, a wrong answer.
  std::function<void(const std::string& what, const std::string& detail)> on_problem;
  /// Jobs that were acknowledged and read back in a terminal state, and jobs in all.
  std::size_t ended = 0;
  std::size_t jobs = 0;
  /// Direct inferences that have ended, with an answer or without, and all.
  std::size_t inferences_ended = 0;
  std::size_t inferences = 0;
  std::map<std::string, std::uint64_t> paths;

  bool is_done() const noexcept {
    return ended == jobs && inferences_ended == inferences;
  }
};

struct client_arguments {
  runtime::service<caf::actor> entry;
  std::vector<planned_job> jobs;
  std::uint64_t seed = 1;
  /// A completed job must have one of its right outputs.
  bool checks_single_answers = true;
  std::shared_ptr<client_record> record;
};

/// CLIENT submits its jobs through ENTRY, as gateways do, and again under the same key for as long
/// as no answer comes; cancels some, waits for each, and reads each back until it has ended:
///
///   planned --submit--> asked --acknowledged--> watched --read back, terminal--> done
///      ^------no answer------'                    ^---------'
caf::actor spawn_client(caf::actor_system& system, client_arguments arguments);

}  // namespace dim::simulation
