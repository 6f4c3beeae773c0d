// The lives of AGENT's workers: start, load, kill, death, rest; and the one clock of the agent.
#include <algorithm>
#include <chrono>
#include <utility>

#include "actors/agent/agent.hpp"
#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

constexpr std::int64_t look_max_us = 5'000'000;

/// A name for one start of a worker that no other process can guess: 128 random bits in hex.
std::string new_token(runtime::random_source& random) {
  std::string text(32, '0');
  for (std::size_t half = 0; half < 2; ++half) {
    auto bits = random.next();
    for (std::size_t digit = 0; digit < 16; ++digit, bits >>= 4)
      text[half * 16 + digit] = "0123456789abcdef"[bits & 15];
  }
  return text;
}

/// What is told of a dead worker: the cause, then the end of its standard error.
std::string logs_of(const worker_ended& news) {
  auto logs = news.cause.message;
  if (!news.stderr_tail.empty())
    logs += "\n--- end of standard error ---\n" + news.stderr_tail;
  return logs;
}

}  // namespace

void agent_state::start(worker& one) {
  one.started_us = now_us();
  one.life.begin(new_token(random), now_ms());
  self->send(one.host, start_worker{one.life.token()});
}

void agent_state::note_ready(agent_ready& news) {
  auto found = std::find_if(workers.begin(), workers.end(), [&](worker& each) {
    return each.life.note_ready(news.token, news.pid);
  });
  if (found == workers.end())
    return;
  found->inference = std::move(news.handle);
  load(*found);
  arm();
}

void agent_state::load(worker& one) {
  // Workers share the device's cores.
  auto threads = std::max(1u, arguments.threads / static_cast<std::uint32_t>(workers.size()));
  load_model content{arguments.path, arguments.spec, arguments.device, threads};
  auto left = std::max<std::int64_t>(1, one.life.until_ms().value_or(0) - now_ms());
  calls.call(self, one.inference, static_cast<std::uint64_t>(left), one.life.token(),
             std::move(content), [this, &one](runtime::expected<model_loaded> reply) {
               if (one.life.phase() == worker_phase::loading)
                 take_loaded(one, reply);
             });
}

void agent_state::take_loaded(worker& one, const runtime::expected<model_loaded>& reply) {
  if (!reply && is_final(one, reply.error().code))
    return give_up(reply.error());
  if (!reply)
    return kill(one, {error_code::agent_lost,
                      "the model could not be loaded: " + reply.error().message,
                      {}});
  if (!serves())
    queue->restart_timeouts(now_us());
  one.life.note_loaded();
  self->send(arguments.owner, agent_loaded{arguments.model_key, static_cast<std::uint64_t>(
                                                                  now_us() - one.started_us)});
  if (is_warm())
    answer_warm({});
  advance();
}

bool agent_state::is_final(const worker& one, error_code reason) const {
  if (runtime::is_retryable(reason) && reason != error_code::memory_limit)
    return false;
  // What has been loaded here before may be loaded again, as long as another serves meanwhile.
  return !one.life.has_loaded() || !serves();
}

void agent_state::kill(worker& one, runtime::failure cause) {
  if (one.life.end(now_ms()))
    self->send(one.host, kill_worker{one.life.token(), std::move(cause)});
}

void agent_state::end_workers() {
  auto is_gone = [](const worker& each) {
    return each.life.phase() == worker_phase::absent ||
           each.life.phase() == worker_phase::resting;
  };
  if (std::all_of(workers.begin(), workers.end(), is_gone))
    return self->quit();
  for (auto& each : workers)
    kill(each, {error_code::cancelled, "the agent is stopped", {}});
}

void agent_state::note_ended(const worker_ended& news) {
  auto found = std::find_if(workers.begin(), workers.end(), [&](const worker& each) {
    return each.life.token() == news.token;
  });
  if (found == workers.end())
    return;
  auto& one = *found;
  auto pid = one.life.pid();
  if (!one.life.note_ended(news.token))
    return;
  auto on_purpose = news.cause.code == error_code::cancelled;
  auto logs = logs_of(news);
  if (!on_purpose)
    runtime::log(runtime::log_level::warn, name, "lost its worker",
        {{"model", label()},
         {"device", arguments.device},
         {"pid", pid},
         {"code", to_string(news.cause.code)},
         {"reason", news.cause.message}});
  one.inference = nullptr;
  settle_flights(one, news, logs);
  if (!on_purpose)
    rest(one, logs);
  advance();
}

void agent_state::settle_flights(worker& one, const worker_ended& news, const std::string& logs) {
  std::vector<std::uint64_t> keys;
  for (auto& each : one.flights)
    keys.insert(keys.end(), each.keys.begin(), each.keys.end());
  one.flights.clear();
  calls.fail_node(news.token, news.cause);
  auto is_guilty = keys.size() == 1 && news.cause.code != error_code::cancelled;
  if (!is_guilty)
    return repeat_alone(keys);
  auto unwanted = requests.at(keys.front()).unwanted;
  answer_failure(keys.front(), unwanted.code != error_code::none ? unwanted : news.cause, logs,
                 true);
}

void agent_state::rest(worker& one, const std::string& logs) {
  if (one.life.rest(now_ms(), random))
    return;
  if (is_warm())
    return answer_warm({});
  if (!refuses())
    return;
  answer_all({error_code::agent_lost, "the agent died too often", {}}, logs);
  answer_warm({error_code::agent_lost, "the agent died too often", {}});
}

void agent_state::give_up(const runtime::failure& reason) {
  final_failure = reason;
  runtime::log(runtime::log_level::warn, name, "can not load its model",
      {{"model", label()},
       {"device", arguments.device},
       {"code", to_string(final_failure.code)},
       {"reason", final_failure.message}});
  answer_all(final_failure);
  answer_warm(final_failure);
  for (auto& each : workers) {
    // Their requests have just been answered.
    each.flights.clear();
    kill(each, {error_code::cancelled, "the model can not be loaded", {}});
  }
  told_idle = true;
  self->send(arguments.owner, agent_idle{arguments.model_key});
  arm();
}

void agent_state::expire_phase(worker& one, std::int64_t now) {
  auto until = one.life.until_ms();
  if (!until || now < *until)
    return;
  switch (one.life.phase()) {
    case worker_phase::starting:
    case worker_phase::loading:
      return kill(one, {error_code::agent_lost,
                        "the agent was not ready within " +
                          std::to_string(arguments.options.start_timeout_ms) + " ms",
                        {}});
    case worker_phase::ending:
      // Its host does not answer: this agent can not be mended, DEVICE makes another.
      return self->quit(runtime::to_error(error_code::agent_lost, "the worker can not be ended"));
    default:
      one.life.wake();
  }
}

void agent_state::tell_idle(std::int64_t now) {
  if (told_idle || !requests.empty() || !warm_wishes.empty() ||
      now - idle_since_ms < arguments.options.idle_ms)
    return;
  told_idle = true;
  self->send(arguments.owner, agent_idle{arguments.model_key});
}

void agent_state::look_at_clock(std::uint64_t number) {
  if (number != look_number)
    return;
  look_at_us = 0;
  auto now = now_ms();
  for (auto& each : workers) {
    expire_phase(each, now);
    expire_flights(each, now);
  }
  expire_requests(now);
  expire_warm_wishes(now);
  tell_idle(now);
  advance();
}

std::optional<std::int64_t> agent_state::next_look_us() const {
  std::optional<std::int64_t> next;
  auto consider = [&next](std::int64_t when_us) {
    next = std::min(next.value_or(when_us), when_us);
  };
  auto has_idle_worker = false;
  for (auto& each : workers) {
    if (auto until = each.life.until_ms())
      consider(*until * 1'000);
    has_idle_worker = has_idle_worker || room_at(each) == queue_room::any;
  }
  if (has_idle_worker)
    if (auto due = queue->due_us())
      consider(*due);
  if (auto due = queue->timeout_due_us(); due && serves())
    consider(*due);
  // Deadlines of single requests are looked at in steps: a timer for each would pile up, since CAF
  // can not cancel them.
  auto& options = arguments.options;
  auto step_ms = std::clamp<std::int64_t>(std::min(options.timeout_ms, options.cancel_grace_ms) / 4,
                                          5, 250);
  if (!requests.empty() || !warm_wishes.empty())
    consider(now_us() + step_ms * 1'000);
  else if (!told_idle)
    consider((idle_since_ms + options.idle_ms) * 1'000);
  // A timer keeps the memory of its actor until it fires, also when that has ended.
  if (next)
    consider(now_us() + look_max_us);
  return next;
}

void agent_state::arm() {
  auto next = next_look_us();
  if (!next || (look_at_us != 0 && look_at_us <= *next))
    return;
  look_at_us = *next;
  auto wait = std::chrono::microseconds{std::max<std::int64_t>(0, *next - now_us())};
  self->delayed_send(self, wait, agent_due{++look_number});
}

}  // namespace dim::actors
