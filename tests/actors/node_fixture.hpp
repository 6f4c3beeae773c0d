#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "actors/node/node.hpp"
#include "tests/actors/agent_support.hpp"

namespace dim::tests {

struct fake_part_state {
  static inline const char* name = "FAKE PART";
};

/// What NODE has told the orchestrator, and how that answers.
struct orchestrator_script {
  runtime::failure join_error;
  bool answers_join = true;
  std::uint64_t generation = 1;
  std::vector<actors::join_cluster> joins;
  std::vector<actors::node_heartbeat> heartbeats;
  std::vector<actors::execution_started> started;
  std::vector<actors::execution_finished> finished;
};

inline caf::behavior fake_orchestrator(runtime::actor_self<caf::actor, fake_part_state> self,
                                       std::shared_ptr<orchestrator_script> script) {
  return {
    [script, self](const actors::join_cluster& wish) {
      script->joins.push_back(wish);
      auto promise = self->make_response_promise<actors::join_accepted>();
      if (script->join_error.code != runtime::error_code::none)
        promise.deliver(runtime::to_error(script->join_error));
      else if (script->answers_join)
        promise.deliver(actors::join_accepted{script->generation, 1'000});
      return promise;
    },
    [script](const actors::node_heartbeat& news) { script->heartbeats.push_back(news); },
    [script](const actors::execution_started& news) { script->started.push_back(news); },
    [script](const actors::execution_finished& news) { script->finished.push_back(news); },
  };
}

/// A CACHE that has every model, but for those with an error, and every blob that it was given.
struct cache_script {
  std::map<std::string, runtime::failure> errors;
  std::map<std::string, std::string> blobs;
  /// Models with these names are not answered.
  std::vector<std::string> silent;
  /// So many models are answered `expired` first.
  int late = 0;
  models::model_spec spec = pair_spec();
  std::vector<actors::acquire_model> acquired;
  std::vector<std::string> released;
  /// Answers nothing until it is told to.
  bool holds = false;
  std::vector<std::function<void()>> held;
};

using told_cache_actor = actors::model_store_actor::extend<caf::reacts_to<caf::tick_atom>>;

inline told_cache_actor::behavior_type
fake_cache(runtime::actor_self<told_cache_actor, fake_part_state> self,
           std::shared_ptr<cache_script> script) {
  return {
    [script, self](const actors::acquire_model& wish) {
      script->acquired.push_back(wish);
      auto promise = self->make_response_promise<actors::served_model>();
      auto failed = script->errors.find(wish.name);
      if (script->late > 0 && script->late-- > 0)
        promise.deliver(runtime::to_error(runtime::error_code::expired, "too late"));
      else if (failed != script->errors.end())
        promise.deliver(runtime::to_error(failed->second));
      else if (std::find(script->silent.begin(), script->silent.end(), wish.name) ==
               script->silent.end()) {
        actors::served_model model{wish.name, wish.version, wish.digest, "/cache/m.pt", 1'000,
                                   script->spec};
        if (script->holds)
          script->held.push_back([promise, model]() mutable { promise.deliver(model); });
        else
          promise.deliver(std::move(model));
      }
      return promise;
    },
    [script](const actors::release_model& wish) { script->released.push_back(wish.digest); },
    [script](const actors::fetch_blob& wish) -> caf::result<actors::fetched_blob> {
      auto found = script->blobs.find(wish.digest);
      if (found == script->blobs.end())
        return runtime::to_error(runtime::error_code::not_found, "no such blob");
      return actors::fetched_blob{runtime::bytes::copy_of(found->second)};
    },
    [](actors::transfer_due) {},
    [script](caf::tick_atom) {
      for (auto& each : std::exchange(script->held, {}))
        each();
    },
  };
}

/// A DEVICE that answers when it is told to, or at once.
struct device_script {
  struct run {
    actors::run_on_device order;
    caf::typed_response_promise<actors::infer_result> promise;
  };
  struct group_run {
    actors::run_group_on_device order;
    caf::typed_response_promise<actors::infer_results> promise;
  };
  bool echoes = false;
  std::deque<run> runs;
  /// Direct requests, as they came together.
  std::deque<group_run> groups;
  std::size_t runs_total = 0;
  std::size_t runs_at_once = 0;
  std::vector<actors::withdraw_on_device> withdrawn;
  std::vector<actors::serve_on_device> served;
  actors::infer_result next_answer;

  actors::infer_result answer_to(const actors::infer& request) {
    auto answer = std::exchange(next_answer, {});
    if (answer.error.code == runtime::error_code::none && answer.outputs.empty()) {
      answer.outputs = request.inputs;
      for (auto& output : answer.outputs)
        output.name = "y";
    }
    return answer;
  }

  void answer_oldest() {
    if (runs.empty()) {
      auto group = std::move(groups.front());
      groups.pop_front();
      group.promise.deliver(answers_to(group.order.group));
      return;
    }
    auto run = std::move(runs.front());
    runs.pop_front();
    run.promise.deliver(answer_to(run.order.request));
  }

  actors::infer_results answers_to(const actors::infer_group& group) {
    actors::infer_results results;
    for (auto& each : group.requests)
      results.answers.push_back({each.number, answer_to(each.request)});
    return results;
  }
};

using told_device_actor = actors::device_actor::extend<caf::reacts_to<caf::tick_atom>>;

inline told_device_actor::behavior_type
fake_device(runtime::actor_self<told_device_actor, fake_part_state> self,
            std::shared_ptr<device_script> script) {
  return {
    [script, self](const actors::run_on_device& order) {
      auto promise = self->make_response_promise<actors::infer_result>();
      ++script->runs_total;
      if (script->echoes) {
        promise.deliver(script->answer_to(order.request));
      } else {
        script->runs.push_back({order, promise});
        script->runs_at_once = std::max(script->runs_at_once, script->runs.size());
      }
      return promise;
    },
    [script, self](const actors::run_group_on_device& order) {
      auto promise = self->make_response_promise<actors::infer_results>();
      script->runs_total += order.group.requests.size();
      if (script->echoes)
        promise.deliver(script->answers_to(order.group));
      else
        script->groups.push_back({order, promise});
      return promise;
    },
    [script](const actors::withdraw_on_device& wish) { script->withdrawn.push_back(wish); },
    [script](const actors::serve_on_device& wish) {
      script->served.push_back(wish);
      return actors::agents_set{"cpu:0"};
    },
    [](const actors::agent_idle&) {},
    [](const actors::agent_loaded&) {},
    [script](caf::tick_atom) { script->answer_oldest(); },
  };
}

/// NODE between fakes.
struct node_fixture : actor_fixture {
  std::shared_ptr<orchestrator_script> orchestrator = std::make_shared<orchestrator_script>();
  std::shared_ptr<cache_script> cache = std::make_shared<cache_script>();
  told_cache_actor cache_handle;
  std::shared_ptr<device_script> device = std::make_shared<device_script>();
  told_device_actor device_handle;
  caf::actor entry;
  actors::node_arguments arguments;
  actors::node_control_actor node;

  node_fixture() {
    arguments.cluster.name = "test";
    arguments.cluster.heartbeat_ms = 1'000;
    arguments.cluster.request_timeout_ms = 10'000;
    arguments.cluster.rejoin_backoff_ms = 100;
    arguments.cluster.rejoin_backoff_max_ms = 5'000;
    arguments.options.queue_max = 4;
    arguments.facts.id = "node-1";
    arguments.facts.cpu_cores = 2;
    arguments.facts.memory_bytes = 8'000'000'000;
    arguments.facts.devices = {{"cpu:0", "cpu", "", 1, 4'000'000'000, 2}};
    arguments.cache.set(caf::actor_cast<actors::model_store_actor>(
      cache_handle = sys().spawn(fake_cache, cache)));
    device_handle = sys().spawn(fake_device, device);
    arguments.devices["cpu:0"].set(device_handle);
  }

  /// Starts NODE; with `joined`, the orchestrator is there.
  void start(bool joined = true) {
    if (joined)
      bring_entry_up();
    node = sys().spawn(actors::node, arguments);
    run();
    if (joined)
      REQUIRE(orchestrator->joins.size() == 1);
  }

  void bring_entry_up() {
    entry = sys().spawn(fake_orchestrator, orchestrator);
    arguments.entry.set(entry);
  }

  static actors::run_execution order_of(const std::string& id, std::uint32_t epoch = 1) {
    actors::run_execution order;
    order.execution_id = id;
    order.epoch = epoch;
    order.model = "pairs";
    order.version = "1";
    order.model_digest = std::string(64, 'd');
    order.inputs = pairs();
    order.required_memory = 1;
    order.time_left_ms = 60'000;
    return order;
  }

  /// Lets the device answer its oldest run.
  void finish_run() {
    REQUIRE(device->runs.size() + device->groups.size() > 0);
    send(device_handle, caf::tick_atom_v);
  }

  const actors::execution_finished& last_finished() const {
    REQUIRE_FALSE(orchestrator->finished.empty());
    return orchestrator->finished.back();
  }
};

}  // namespace dim::tests
