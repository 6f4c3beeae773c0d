#pragma once

#include <doctest/doctest.h>

#include "actors/node/device.hpp"
#include "tests/actors/agent_support.hpp"

namespace dim::tests {

inline constexpr std::uint64_t mib = 1 << 20;

/// DEVICE with real AGENTs over fake workers that answer at once.
struct device_fixture : actor_fixture {
  std::shared_ptr<worker_script> script = std::make_shared<worker_script>();
  std::shared_ptr<inbox> node = std::make_shared<inbox>();
  actors::device_arguments arguments;
  actors::device_actor device;

  device_fixture() {
    script->echoes = true;
    arguments.facts = {"cpu:0-1", "cpu", "", 2, 1'000 * mib, 4};
    arguments.options.idle_ms = 60'000;
    arguments.options.timeout_ms = 10'000;
    arguments.make_host = fake_hosts(script);
    arguments.node.set(caf::actor_cast<actors::node_control_actor>(probe(node)));
  }

  void start() {
    device = sys().spawn(actors::device, arguments);
    run();
  }

  static actors::served_model model(const std::string& name,
                                    std::uint64_t memory_bytes = 400 * mib) {
    actors::served_model result{name, "1", std::string(64, 'd'), "/cache/" + name, 1'000, {}};
    result.spec = pair_spec();
    result.spec.name = name;
    result.spec.memory_bytes = memory_bytes;
    return result;
  }

  infer_reply ask_for(const actors::served_model& what, actors::infer content) {
    return ask_agent(*this, device, actors::run_on_device{what, std::move(content)});
  }

  pending_reply<actors::agents_set> serve(const actors::served_model& what, bool wanted = true,
                                          std::uint64_t time_left_ms = 60'000,
                                          bool only_spare = false) {
    auto reply = request<actors::agents_set>(
      device, actors::serve_on_device{what, wanted, time_left_ms, only_spare});
    run();
    return reply;
  }

  /// Answers the oldest batch.
  void finish_batch() {
    REQUIRE_FALSE(script->batches.empty());
    send(script->batches.front().holder, caf::tick_atom_v);
  }

  actors::device_load load_told() {
    auto news = node->all<actors::device_changed>();
    REQUIRE_FALSE(news.empty());
    return news.back().load;
  }

  std::vector<std::string> agents_told() {
    auto news = node->all<actors::device_changed>();
    REQUIRE_FALSE(news.empty());
    return news.back().model_keys;
  }
};

inline runtime::error_code code_of(const infer_reply& reply) {
  REQUIRE(reply->has_value());
  REQUIRE((*reply)->has_value());
  return (**reply)->error.code;
}

}  // namespace dim::tests
