// The life of AGENT's worker: start, load, kill, death, rest; and the one clock of the agent.
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

void agent_state::start() {
  token = new_token(random);
  phase = worker_phase::starting;
  phase_until_ms = now_ms() + arguments.options.start_timeout_ms;
  self->send(host, start_worker{token});
}

void agent_state::note_ready(agent_ready& news) {
  if (phase != worker_phase::starting || news.token != token)
    return;
  phase = worker_phase::loading;
  pid = news.pid;
  inference = std::move(news.handle);
  load();
  arm();
}

void agent_state::load() {
  load_model content{arguments.path, arguments.spec, arguments.device, arguments.threads};
  auto left = static_cast<std::uint64_t>(std::max<std::int64_t>(1, phase_until_ms - now_ms()));
  calls.call(self, inference, left, token, std::move(content),
             [this](runtime::expected<model_loaded> reply) {
               if (phase != worker_phase::loading)
                 return;
               if (reply) {
                 phase = worker_phase::ready;
                 answer_warm({});
                 return advance();
               }
               auto& error = reply.error();
               auto is_final = !runtime::is_retryable(error.code) ||
                               error.code == error_code::memory_limit;
               if (is_final)
                 return give_up(std::move(error));
               kill({error_code::agent_lost,
                     "the model could not be loaded: " + error.message,
                     {}});
             });
}

void agent_state::kill(runtime::failure cause) {
  if (phase != worker_phase::starting && phase != worker_phase::loading &&
      phase != worker_phase::ready)
    return;
  phase = worker_phase::ending;
  phase_until_ms = now_ms() + arguments.options.start_timeout_ms;
  self->send(host, kill_worker{token, std::move(cause)});
}

void agent_state::note_ended(const worker_ended& news) {
  if (news.token != token || phase == worker_phase::absent || phase == worker_phase::resting)
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
  phase = worker_phase::absent;
  pid = 0;
  inference = nullptr;
  settle_flights(news, logs);
  if (!on_purpose)
    rest(logs);
  advance();
}

void agent_state::settle_flights(const worker_ended& news, const std::string& logs) {
  std::vector<std::uint64_t> keys;
  for (auto& each : flights)
    keys.insert(keys.end(), each.keys.begin(), each.keys.end());
  flights.clear();
  calls.fail_node(news.token, news.cause);
  auto is_guilty = keys.size() == 1 && news.cause.code != error_code::cancelled;
  if (!is_guilty)
    return repeat_alone(keys);
  auto unwanted = requests.at(keys.front()).unwanted;
  answer_failure(keys.front(), unwanted.code != error_code::none ? unwanted : news.cause, logs,
                 true);
}

void agent_state::rest(const std::string& logs) {
  auto now = now_ms();
  phase = worker_phase::resting;
  auto& limits = arguments.supervision;
  if (restarts.note(now)) {
    phase_until_ms =
      now + runtime::backoff_of(limits.backoff_ms, limits.backoff_max_ms, ++failures, random);
    return;
  }
  refusing = true;
  phase_until_ms = now + limits.restarts_window_ms;
  answer_all({error_code::agent_lost, "the agent died too often", {}}, logs);
  answer_warm({error_code::agent_lost, "the agent died too often", {}});
}

void agent_state::give_up(runtime::failure reason) {
  final_failure = std::move(reason);
  runtime::log(runtime::log_level::warn, name, "can not load its model",
      {{"model", label()},
       {"device", arguments.device},
       {"code", to_string(final_failure.code)},
       {"reason", final_failure.message}});
  answer_all(final_failure);
  answer_warm(final_failure);
  kill({error_code::cancelled, "the model can not be loaded", {}});
  told_idle = true;
  self->send(arguments.owner, agent_idle{arguments.model_key});
  arm();
}

void agent_state::expire_phase(std::int64_t now) {
  if (phase == worker_phase::absent || phase == worker_phase::ready || now < phase_until_ms)
    return;
  switch (phase) {
    case worker_phase::starting:
    case worker_phase::loading:
      return kill({error_code::agent_lost,
                   "the agent was not ready within " +
                     std::to_string(arguments.options.start_timeout_ms) + " ms",
                   {}});
    case worker_phase::ending:
      // Its host does not answer: this agent can not be mended, DEVICE makes another.
      return self->quit(runtime::to_error(error_code::agent_lost, "the worker can not be ended"));
    default:
      phase = worker_phase::absent;
      if (std::exchange(refusing, false))
        restarts = runtime::restart_window{
          {arguments.supervision.restarts_max, arguments.supervision.restarts_window_ms}};
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
  expire_phase(now);
  expire_flights(now);
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
  auto has_deadline = phase != worker_phase::absent && phase != worker_phase::ready;
  if (has_deadline)
    consider(phase_until_ms * 1'000);
  if (phase == worker_phase::ready && flights.empty())
    if (auto due = queue->due_us())
      consider(*due);
  if (auto due = queue->timeout_due_us())
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
