#pragma once

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/actors/agent_support.hpp"

namespace dim::tests {

using answer = infer_reply;

/// AGENT with a fake worker host and INFERENCE.
struct agent_fixture : actor_fixture {
  std::shared_ptr<worker_script> script = std::make_shared<worker_script>();
  std::shared_ptr<inbox> owner = std::make_shared<inbox>();
  actors::agent_arguments arguments;
  actors::agent_control_actor agent;

  agent_fixture() {
    arguments.model_key = "pairs:1";
    arguments.version = "1";
    arguments.path = "/nowhere/model.pt";
    arguments.spec = pair_spec();
    arguments.device = "cpu:0";
    arguments.options.timeout_ms = 120'000;
    arguments.options.idle_ms = 300'000;
    arguments.supervision = {3, 60'000, 100, 1'000};
    arguments.make_host = fake_hosts(script);
    arguments.owner = caf::actor_cast<actors::agent_owner_actor>(probe(owner));
  }

  void start() {
    agent = sys().spawn(actors::agent, arguments);
    run();
  }

  answer ask_for(actors::infer content) {
    return ask_agent(*this, agent, std::move(content));
  }

  /// Answers the oldest batch with its own inputs.
  void finish_batch() {
    REQUIRE_FALSE(script->batches.empty());
    send(script->batches.front().holder, caf::tick_atom_v);
  }

  void fail_batch(caf::error answer) {
    script->next_answer = std::move(answer);
    finish_batch();
  }
  void fail_batch(runtime::error_code code) {
    fail_batch(runtime::to_error(code, "the model said no"));
  }

  /// The worker dies by itself.
  void die(runtime::error_code code = runtime::error_code::agent_lost) {
    die_at(0, code);
  }
  /// The worker of the host at this place does.
  void die_at(std::size_t place, runtime::error_code code = runtime::error_code::agent_lost) {
    std::erase_if(script->batches, [place](auto& each) { return each.place == place; });
    send(script->listener,
         actors::worker_ended{script->tokens.at(place), {code, "it died", {}}, "last words"});
  }

  /// Answers the oldest batch of the worker at this place.
  void finish_batch_at(std::size_t place) {
    auto found = std::find_if(script->batches.begin(), script->batches.end(),
                              [place](auto& each) { return each.place == place; });
    REQUIRE(found != script->batches.end());
    std::rotate(script->batches.begin(), found, found + 1);
    finish_batch();
  }

  /// For each worker, how many batches it has.
  std::vector<int> load_of_workers() const {
    std::vector<int> counts(script->orders.size());
    for (auto& each : script->batches)
      ++counts[each.place];
    return counts;
  }
};

inline const actors::infer_result& result_of(const answer& reply) {
  REQUIRE(reply->has_value());
  REQUIRE((*reply)->has_value());
  return ***reply;
}

inline runtime::error_code code_of(const answer& reply) {
  return result_of(reply).error.code;
}

}  // namespace dim::tests
