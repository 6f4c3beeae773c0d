#include "tests/simulation/client.hpp"

#include <algorithm>

#include "actors/node/entry_watch.hpp"
#include "actors/store/messages.hpp"
#include "actors/type_ids.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"
#include "tests/simulation/client_behavior.hpp"

namespace dim::simulation {

namespace {

using runtime::error_code;

constexpr std::uint64_t answer_ms = 5'000;
constexpr std::uint32_t await_ms = 20'000;

/// Whether a submission that failed so is worth another.
bool is_passing(error_code code) {
  return actors::may_heal(code) || code == error_code::store_full || code == error_code::internal
         || code == error_code::cancelled;
}

struct client_state {
  static inline const char* name = "CLIENT";
  using self_pointer = runtime::actor_self<caf::actor, client_state>;

  enum class errand : std::uint8_t { submit, submit_again, cancel, watch };

  struct held_job {
    planned_job plan;
    std::string id;
    bool done = false;
  };

  explicit client_state(self_pointer pointer) : self(pointer) {
  }

  void initialise(client_arguments values);
  void look_at_clock();
  void run(std::size_t index, errand what);
  void submit(std::size_t index, bool again);
  void take_submitted(std::size_t index, const actors::submit_result& result);
  void cancel(std::size_t index);
  void watch(std::size_t index);
  void read(std::size_t index);
  void take_view(std::size_t index, const actors::job_view& view);
  void check_answer(const held_job& job, const actors::job_view& view);
  void sight(const std::string& id, actors::job_state state);
  bool is_done() const {
    return record->ended == jobs.size();
  }

  std::int64_t now_ms() const {
    return runtime::clock_ns(self->home_system()) / 1'000'000;
  }
  void later(std::size_t index, errand what, std::int64_t pause_ms) {
    due.emplace(now_ms() + pause_ms, std::make_pair(index, what));
  }
  std::int64_t pause() {
    return 200 + static_cast<std::int64_t>(random.below(1'000));
  }
  template <class Message, class OnReply>
  void ask(Message message, std::uint64_t deadline_ms, OnReply on_reply) {
    calls.call(self, entry.get(*self), deadline_ms, "entry", std::move(message),
               std::move(on_reply));
  }

  self_pointer self;
  actors::entry_watch entry;
  runtime::call_table calls;
  runtime::random_source random{1};
  std::vector<held_job> jobs;
  std::multimap<std::int64_t, std::pair<std::size_t, errand>> due;
  std::shared_ptr<client_record> record;
  bool checks_single_answers = true;
};

void client_state::initialise(client_arguments values) {
  entry = actors::entry_watch{values.entry};
  record = std::move(values.record);
  random = runtime::random_source{values.seed};
  checks_single_answers = values.checks_single_answers;
  record->jobs = values.jobs.size();
  for (auto& plan : values.jobs) {
    auto index = jobs.size();
    due.emplace(plan.submit_at_ms, std::make_pair(index, errand::submit));
    if (plan.cancel_at_ms >= 0)
      due.emplace(plan.cancel_at_ms, std::make_pair(index, errand::cancel));
    if (plan.resubmit_at_ms >= 0)
      due.emplace(plan.resubmit_at_ms, std::make_pair(index, errand::submit_again));
    jobs.push_back({std::move(plan), {}, false});
  }
}

void client_state::look_at_clock() {
  while (!due.empty() && due.begin()->first <= now_ms()) {
    auto [index, what] = due.begin()->second;
    due.erase(due.begin());
    run(index, what);
  }
}

void client_state::run(std::size_t index, errand what) {
  switch (what) {
    case errand::submit:
      return submit(index, false);
    case errand::submit_again:
      return submit(index, true);
    case errand::cancel:
      return cancel(index);
    case errand::watch:
      return watch(index);
  }
}

void client_state::submit(std::size_t index, bool again) {
  ask(jobs[index].plan.request, answer_ms,
      [this, index, again](runtime::expected<actors::submit_result> reply) {
        if (reply)
          return take_submitted(index, *reply);
        ++record->paths["submission_failed"];
        if (!is_passing(reply.error().code))
          record->on_problem("submission_refused",
                             jobs[index].plan.request.idempotency_key + ": "
                               + std::string{to_string(reply.error().code)} + ", "
                               + reply.error().message);
        else if (!again)
          later(index, errand::submit, pause());
      });
}

void client_state::take_submitted(std::size_t index, const actors::submit_result& result) {
  auto& job = jobs[index];
  record->on_submission({job.plan.request.idempotency_key, result.id, now_ms()});
  if (result.existed)
    ++record->paths["submission_repeated"];
  if (std::exchange(job.id, result.id).empty())
    watch(index);
}

void client_state::cancel(std::size_t index) {
  auto& id = jobs[index].id;
  if (jobs[index].done)
    return;
  if (id.empty())
    return later(index, errand::cancel, pause());
  ask(actors::cancel_job{id}, answer_ms,
      [this, index](runtime::expected<actors::job_status> reply) {
        if (reply) {
          ++record->paths["cancelled"];
          return sight(jobs[index].id, reply->state);
        }
        auto code = reply.error().code;
        if (code == error_code::conflict)
          ++record->paths["cancelled_too_late"];
        else if (is_passing(code))
          later(index, errand::cancel, pause());
        else
          record->on_problem("cancel_refused", jobs[index].id + ": " + reply.error().message);
      });
}

void client_state::watch(std::size_t index) {
  ask(actors::await_job{jobs[index].id, await_ms}, await_ms + answer_ms,
      [this, index](runtime::expected<actors::job_status> reply) {
        if (reply)
          read(index);
        else
          later(index, errand::watch, pause());
      });
}

void client_state::read(std::size_t index) {
  ask(actors::get_job{jobs[index].id}, answer_ms,
      [this, index](runtime::expected<actors::job_view> reply) {
        if (reply)
          return take_view(index, *reply);
        if (is_passing(reply.error().code))
          return later(index, errand::watch, pause());
        record->on_problem("acknowledged_job_unreadable",
                           jobs[index].id + ": " + reply.error().message);
      });
}

void client_state::take_view(std::size_t index, const actors::job_view& view) {
  auto& job = jobs[index];
  sight(job.id, view.record.state);
  if (!actors::is_terminal(view.record.state))
    return later(index, errand::watch, pause());
  if (std::exchange(job.done, true))
    return;
  ++record->ended;
  check_answer(job, view);
}

void client_state::check_answer(const held_job& job, const actors::job_view& view) {
  auto& spec = view.record.spec;
  auto is_checked = spec.kind == actors::pattern::replicated || checks_single_answers;
  if (view.record.state != actors::job_state::completed || job.plan.right_outputs.empty()
      || !is_checked)
    return;
  auto& right = job.plan.right_outputs;
  auto is_result = [&](const models::tensor_list& one) {
    if (one.size() != 1 || view.result.outputs.size() != 1)
      return false;
    auto& given = view.result.outputs[0];
    return one[0].shape == given.shape && one[0].digest == given.digest
           && (given.is_detached() || one[0].data == given.data);
  };
  if (std::none_of(right.begin(), right.end(), is_result))
    record->on_problem("right_answer", "job " + job.id + " ("
                                         + std::string{to_string(spec.kind)}
                                         + ") completed with a wrong answer");
}

void client_state::sight(const std::string& id, actors::job_state state) {
  record->on_sighting({id, std::string{to_string(state)}, now_ms()});
}

caf::behavior client(client_state::self_pointer self, client_arguments arguments) {
  self->state.initialise(std::move(arguments));
  return behavior_of_client(self);
}

}  // namespace

caf::actor spawn_client(caf::actor_system& system, client_arguments arguments) {
  return system.spawn(client, std::move(arguments));
}

}  // namespace dim::simulation
