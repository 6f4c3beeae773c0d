#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "actors/router/router.hpp"
#include "runtime/caf_errors.hpp"
#include "tests/support/actor_fixture.hpp"

namespace dim::tests {

using namespace dim::actors;
using runtime::error_code;

/// What a fake node was told, and what it answers.
struct direct_script {
  /// A request with what it shares with those that came with it.
  struct told_request : direct_request {
    std::string model;
    std::string version;
    std::string model_digest;
  };
  struct held {
    run_direct order;
    caf::typed_response_promise<infer_results> promise;
    caf::strong_actor_ptr asker;
  };
  /// Answered at once, in place of the outputs; `none` for a good answer.
  error_code fails_with = error_code::none;
  bool holds = false;
  std::vector<told_request> orders;
  /// Messages with them.
  std::size_t parcels = 0;
  std::vector<held> waiting;
  std::vector<withdraw_direct> withdrawn;
  std::vector<set_agents> agents;
  bool starts_agents = true;
  /// Why no agent is started; `none`: as `starts_agents` says.
  error_code refuses_agents_with = error_code::none;

  infer_result answer() const {
    infer_result result;
    result.error.code = fails_with;
    if (fails_with != error_code::none)
      return result;
    result.outputs = {models::make_tensor("y", models::datatype::fp32, {1, 2},
                                          std::vector<char>(8))};
    result.outputs.push_back(result.outputs[0]);
    result.outputs[1].name = "z";
    result.times = {1'000, 2'000, 3'000, 4'000};
    result.batch_rows = 1;
    result.first_of_batch = true;
    result.released = release_reason::idle;
    return result;
  }

  infer_results answers_to(const run_direct& order) const {
    infer_results results;
    for (auto& each : order.requests)
      results.answers.push_back({each.number, answer()});
    return results;
  }

  void note(const run_direct& order) {
    ++parcels;
    for (auto& each : order.requests)
      orders.push_back({each, order.model, order.version, order.model_digest});
  }
};

struct direct_node_state {
  static inline const char* name = "FAKE NODE";
};

/// A node that answers what it holds when it gets a tick.
using told_node_actor = node_actor::extend<caf::reacts_to<caf::tick_atom>>;

inline told_node_actor::behavior_type
direct_node(runtime::actor_self<told_node_actor, direct_node_state> self,
            std::shared_ptr<direct_script> script) {
  return {
    [](const run_execution&) {},
    [](const acknowledge_execution&) {},
    [](const cancel_execution&) {},
    [](rejoin_cluster) {},
    [](const set_draining&) {},
    [](const fetch_chunk&) { return chunk{}; },
    [script, self](const run_direct& order) {
      auto asker = self->current_sender();
      auto promise = self->make_response_promise<infer_results>();
      script->note(order);
      if (script->holds)
        script->waiting.push_back({order, promise, asker});
      else
        promise.deliver(script->answers_to(order));
      return promise;
    },
    [script](const withdraw_direct& wish) { script->withdrawn.push_back(wish); },
    [script](const set_agents& wish) -> caf::result<agents_set> {
      script->agents.push_back(wish);
      if (script->refuses_agents_with != error_code::none)
        return runtime::to_error(script->refuses_agents_with, "not now");
      if (!script->starts_agents)
        return runtime::to_error(error_code::memory_limit, "no room");
      return agents_set{"cpu:0"};
    },
    [script](caf::tick_atom) {
      for (auto& each : std::exchange(script->waiting, {}))
        each.promise.deliver(script->answers_to(each.order));
    },
  };
}

/// ROUTER between a catalogue and nodes that are fakes.
struct router_fixture : actor_fixture {
  router_arguments arguments;
  served_models catalogue = {
    1,
    {{entry("m", "1"), serving_state::ready, {}}, {entry("m", "2"), serving_state::ready, {}}},
    {}};
  bool models_answer = true;
  std::map<std::string, std::shared_ptr<direct_script>> scripts;
  std::map<std::string, told_node_actor> handles;
  router_actor router;

  router_fixture() {
    arguments.options.record_file_bytes_max = 0;
    auto models = sys().spawn([this](caf::event_based_actor*) -> caf::behavior {
      return {[this](const get_served_models&) -> caf::result<served_models> {
        if (!models_answer)
          return runtime::to_error(error_code::unavailable, "not now");
        return catalogue;
      }};
    });
    arguments.models.set(caf::actor_cast<models_actor>(models));
  }

  static model_entry entry(const std::string& name, const std::string& version) {
    model_entry result{name, version, name + version, 10, 0, {}, 0};
    result.spec.name = name;
    result.spec.max_batch_size = 8;
    result.spec.inputs = {{"x", models::datatype::fp32, {2}, {}}};
    result.spec.outputs = {{"y", models::datatype::fp32, {2}, {}},
                           {"z", models::datatype::fp32, {2}, {}}};
    return result;
  }

  void start() {
    router = sys().spawn(actors::router, arguments);
    run();
  }

  direct_script& add_node(const std::string& id, node_state state = node_state::online) {
    auto script = std::make_shared<direct_script>();
    scripts[id] = script;
    handles[id] = sys().spawn(direct_node, script);
    tell_of(id, state);
    return *script;
  }

  /// A heartbeat with these agents.
  void tell_of(const std::string& id, node_state state, std::vector<agent_facts> agents = {}) {
    node_updated news;
    news.record.load.devices = {{"cpu:0", 0, 0, 0, std::move(agents)}};
    news.record.facts.id = id;
    news.record.facts.devices = {{"cpu:0", "cpu", "", 1, 0, 1}};
    news.record.state = state;
    news.record.incarnation = 1;
    news.handle = handles[id];
    send(router, news);
  }

  /// Lets the node answer what it holds.
  void answer(const std::string& id) {
    send(handles[id], caf::tick_atom_v);
  }

  void lose(const std::string& id) {
    send(router, node_lost{id, 1, "the link has ended"});
  }

  static run_inference request_of(const std::string& id, const std::string& version = {}) {
    run_inference request;
    request.request_id = id;
    request.model = "m";
    request.version = version;
    request.inputs = {
      models::make_tensor("x", models::datatype::fp32, {1, 2}, std::vector<char>(8))};
    request.time_left_ms = 10'000;
    return request;
  }

  pending_reply<inference_done> begin(const run_inference& content) {
    auto reply = request<inference_done>(router, content);
    run();
    return reply;
  }

  /// Requests that come together, under the numbers 1, 2, ...
  pending_reply<inferences_done> begin(const std::vector<run_inference>& content) {
    run_inferences group;
    for (auto& each : content)
      group.requests.push_back({group.requests.size() + 1, each});
    auto reply = request<inferences_done>(router, group);
    run();
    return reply;
  }

  inference_done infer(const run_inference& content) {
    auto reply = begin(content);
    REQUIRE(reply->has_value());
    REQUIRE((*reply)->has_value());
    return ***reply;
  }

  static error_code code_of(const pending_reply<inference_done>& reply) {
    REQUIRE(reply->has_value());
    REQUIRE((*reply)->has_value());
    return (**reply)->error.code;
  }

  model_statistics statistics(const std::string& version) {
    auto list = ask<model_statistics_list>(router, get_model_statistics{"m", version});
    REQUIRE(list.has_value());
    REQUIRE(list->models.size() == 1);
    return list->models[0];
  }
};

}  // namespace dim::tests
