#include "tests/simulation/caller.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "actors/node/entry_watch.hpp"
#include "actors/type_ids.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "tests/simulation/client_behavior.hpp"
#include "tests/simulation/sample_models.hpp"

namespace dim::simulation {

namespace {

using runtime::error_code;

/// For the way there and back, in the longest packets of a link.
constexpr std::uint64_t way_ms = 5'000;

/// What an inference of a model that is served may end with, whatever happens.
bool is_expected(error_code code) {
  switch (code) {
    case error_code::unavailable:
    case error_code::overloaded:
    case error_code::timeout:
    case error_code::expired:
    case error_code::cancelled:
    case error_code::node_lost:
    case error_code::agent_lost:
    case error_code::agent_timeout:
    case error_code::memory_limit:
    case error_code::corrupt:
    case error_code::no_nodes:
      return true;
    default:
      return false;
  }
}

struct caller_state {
  static inline const char* name = "CALLER";
  using self_pointer = runtime::actor_self<caf::actor, caller_state>;

  explicit caller_state(self_pointer pointer) : self(pointer) {
  }

  void initialise(caller_arguments values) {
    entry = actors::entry_watch{values.entry};
    plan = std::move(values);
    plan.record->inferences = plan.inferences.size();
    for (std::size_t index = 0; index < plan.inferences.size(); ++index) {
      due.emplace(plan.inferences[index].ask_at_ms, std::pair{index, false});
      if (plan.inferences[index].withdraw_at_ms >= 0)
        due.emplace(plan.inferences[index].withdraw_at_ms, std::pair{index, true});
    }
  }

  void look_at_clock() {
    const auto now_ms = runtime::clock_ns(self->home_system()) / 1'000'000;
    while (!due.empty() && due.begin()->first <= now_ms) {
      const auto [index, is_withdrawal] = due.begin()->second;
      due.erase(due.begin());
      if (is_withdrawal)
        withdraw(plan.inferences[index]);
      else
        ask(index);
    }
  }

  bool is_done() const {
    return plan.record->inferences_ended == plan.inferences.size();
  }

  void withdraw(const planned_inference& inference) {
    if (auto target = entry.get(*self))
      self->send(target, actors::withdraw_inference{inference.request.request_id});
  }

  void ask(std::size_t index) {
    const auto& request = plan.inferences[index].request;
    calls.call(self, entry.get(*self), request.time_left_ms + way_ms, "entry", request,
               [this, index](runtime::expected<actors::inference_done> reply) {
                 ++plan.record->inferences_ended;
                 if (reply)
                   take(plan.inferences[index], *reply);
                 else
                   note_unanswered(plan.inferences[index], reply.error());
               });
  }

  void take(const planned_inference& inference, const actors::inference_done& done) {
    const auto code = done.error.code;
    if (plan.expects_answers)
      ++plan.record->paths["inference_in_time"];
    const auto word = code == error_code::none ? "answered" : std::string{to_string(code)};
    ++plan.record->paths["inference_" + word];
    if (code != error_code::none && !is_expected(code))
      plan.record->on_problem("inference_refused", inference.request.request_id + ": " + word
                                                     + ", " + done.error.message);
    const auto& right = inference.right_outputs;
    if (code == error_code::none && plan.checks_answers
        && (done.outputs.size() != 1 || done.outputs[0].data != right.at(0).data))
      plan.record->on_problem("right_answer",
                              inference.request.request_id + " has a wrong answer");
  }

  void note_unanswered(const planned_inference& inference, const runtime::failure& why) {
    ++plan.record->paths["inference_unanswered"];
    if (plan.expects_answers)
      plan.record->on_problem("inference_answered", inference.request.request_id
                                                      + " was not answered: " + why.message);
  }

  self_pointer self;
  caller_arguments plan;
  actors::entry_watch entry;
  runtime::call_table calls;
  /// What to do, and whether it is a withdrawal.
  std::multimap<std::int64_t, std::pair<std::size_t, bool>> due;
};

caf::behavior caller(caller_state::self_pointer self, caller_arguments arguments) {
  self->state.initialise(std::move(arguments));
  return behavior_of_client(self);
}

}  // namespace

std::vector<planned_inference> plan_inferences(std::size_t count, std::int64_t start_ms,
                                               std::int64_t span_ms,
                                               runtime::random_source& random) {
  std::vector<planned_inference> plan(count);
  for (std::size_t index = 0; index < count; ++index) {
    auto& each = plan[index];
    auto& names = sample_model_names();
    each.request.request_id = "call-" + std::to_string(index);
    each.request.model = names[random.below(names.size())];
    each.request.inputs = {sample_input(index, sample_rows(random, 20))};
    each.request.time_left_ms = 200 + random.below(random.below(4) == 0 ? 1'000 : 30'000);
    each.right_outputs = right_answer(each.request.model, each.request.inputs);
    each.ask_at_ms =
      start_ms + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(span_ms)));
    if (random.below(20) == 0)
      each.withdraw_at_ms = each.ask_at_ms + static_cast<std::int64_t>(random.below(2'000));
  }
  return plan;
}

caf::actor spawn_caller(caf::actor_system& system, caller_arguments arguments) {
  return system.spawn(caller, std::move(arguments));
}

}  // namespace dim::simulation
