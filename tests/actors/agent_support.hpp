#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "actors/agent/agent.hpp"
#include "tests/support/actor_fixture.hpp"

namespace dim::tests {

/// A fake INFERENCE, which answers the oldest batch of all, its own, when it is told to.
using told_inference_actor = actors::inference_actor::extend<caf::reacts_to<caf::tick_atom>>;

/// What fake workers have seen, and how they behave.
struct worker_script {
  /// The host answers a start with `agent_ready`, and a kill with `worker_ended`.
  bool answers_start = true;
  bool answers_kill = true;
  /// What `load_model` is answered with; `none`: loaded.
  runtime::failure load_error;
  /// Every batch is answered at once with its inputs, renamed to "y".
  bool echoes = false;
  /// What a forward took.
  std::uint64_t forward_us = 7;

  struct batch {
    actors::run_batch content;
    caf::typed_response_promise<actors::batch_result> promise;
    /// Whose worker has it: the place of its host in `orders`.
    std::size_t place = 0;
    /// That worker: a promise is kept by its own actor.
    told_inference_actor holder;
  };
  std::vector<actors::start_worker> starts;
  /// Of the newest start of each host, by its place in `orders`.
  std::map<std::size_t, std::string> tokens;
  std::vector<actors::kill_worker> kills;
  std::vector<actors::worker_order> orders;
  std::vector<actors::load_model> loads;
  std::deque<batch> batches;
  actors::worker_listener_actor listener;
  /// The newest.
  told_inference_actor inference;
  /// What the next batch is answered with; none: its inputs.
  caf::error next_answer;
};

/// Fakes are on the actor base like all others, so that the fixture ends them.
struct fake_worker_state {
  static inline const char* name = "FAKE WORKER";
};

/// The inputs as a model that passes them on would answer them.
inline actors::batch_result echo_of(const actors::run_batch& content,
                                    std::uint64_t forward_us = 7) {
  actors::batch_result result{content.batch_id, content.requests, forward_us};
  for (auto& outputs : result.outputs)
    for (auto& output : outputs)
      output.name = "y";
  return result;
}

/// A worker, as the host at this place makes it.
template <class Spawner>
actors::inference_actor fake_inference(Spawner& parent, std::shared_ptr<worker_script> script,
                                       std::size_t place) {
  using self_pointer = runtime::actor_self<told_inference_actor, fake_worker_state>;
  script->inference = parent.spawn([script, place](self_pointer self) {
    return told_inference_actor::behavior_type{
      [script](const actors::load_model& order) -> caf::result<actors::model_loaded> {
        script->loads.push_back(order);
        if (script->load_error.code != runtime::error_code::none)
          return runtime::to_error(script->load_error);
        return actors::model_loaded{1, 2};
      },
      [script, self, place](const actors::run_batch& content) {
        auto promise = self->make_response_promise<actors::batch_result>();
        if (script->echoes)
          promise.deliver(echo_of(content));
        else
          script->batches.push_back({content, promise, place, told_inference_actor{self}});
        return promise;
      },
      [script](caf::tick_atom) {
        auto batch = std::move(script->batches.front());
        script->batches.pop_front();
        if (auto answer = std::exchange(script->next_answer, {}))
          batch.promise.deliver(std::move(answer));
        else
          batch.promise.deliver(echo_of(batch.content, script->forward_us));
      },
    };
  });
  return script->inference;
}

inline actors::worker_host_factory fake_hosts(std::shared_ptr<worker_script> script) {
  using actors::worker_host_actor;
  using self_pointer = runtime::actor_self<worker_host_actor, fake_worker_state>;
  return [script](caf::local_actor& parent, const actors::worker_order& order,
                  const actors::worker_listener_actor& listener) {
    auto place = script->orders.size();
    script->orders.push_back(order);
    script->listener = listener;
    return parent.spawn<caf::linked>(
      [script, listener, place](self_pointer self) -> worker_host_actor::behavior_type {
        return {
          [script, listener, self, place](const actors::start_worker& wish) {
            script->starts.push_back(wish);
            script->tokens[place] = wish.token;
            if (script->answers_start)
              self->send(listener, actors::agent_ready{wish.token, 42,
                                                       fake_inference(*self, script, place)});
          },
          [script, listener, self](const actors::kill_worker& wish) {
            script->kills.push_back(wish);
            if (script->answers_kill)
              self->send(listener, actors::worker_ended{wish.token, wish.cause, "last words"});
          },
        };
      });
  };
}

using infer_reply = pending_reply<actors::infer_result>;

/// Sends a request whose asker, unlike that of the fixture, also takes `infer_started`.
template <class Handle, class Request>
infer_reply ask_agent(actor_fixture& fixture, const Handle& to, Request content) {
  auto reply = std::make_shared<std::optional<runtime::expected<actors::infer_result>>>();
  using self_pointer = runtime::actor_self<caf::actor, fake_worker_state>;
  fixture.sys().spawn([reply, to, content](self_pointer self) -> caf::behavior {
    self->request(to, caf::infinite, content)
      .then([reply](actors::infer_result& x) { *reply = std::move(x); },
            [reply](caf::error& x) { *reply = tl::unexpected(runtime::to_failure(x)); });
    return {[](const actors::infer_started&) {}};
  });
  fixture.run();
  return reply;
}

/// A model of one input "x" and one output "y", each row two numbers.
inline models::model_spec pair_spec(std::int64_t max_batch_size = 8) {
  models::model_spec spec;
  spec.name = "pairs";
  spec.inputs = {{"x", models::datatype::fp32, {2}, {}}};
  spec.outputs = {{"y", models::datatype::fp32, {2}, {}}};
  if (max_batch_size == 0) {
    spec.inputs[0].dims = {1, 2};
    spec.outputs[0].dims = {1, 2};
  }
  spec.max_batch_size = max_batch_size;
  return spec;
}

/// `rows` rows, all bytes `fill`.
inline models::tensor_list pairs(std::int64_t rows = 1, char fill = 'a') {
  return {models::make_tensor("x", models::datatype::fp32, {rows, 2},
                              std::vector<char>(std::size_t(rows) * 8, fill))};
}

inline actors::infer infer_of(std::string id, models::tensor_list inputs = pairs(),
                              std::uint64_t time_left_ms = 600'000) {
  return {std::move(id), std::move(inputs), false, time_left_ms};
}

}  // namespace dim::tests
