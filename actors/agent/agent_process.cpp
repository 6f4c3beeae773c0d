#include "actors/agent/agent_process.hpp"

#include <chrono>
#include <utility>

#include "actors/agent/channel.hpp"
#include "actors/type_ids.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

// A broken link is mostly the first sign of a dead process: the launcher is given this long to tell
// how it died.
constexpr auto death_notice = std::chrono::seconds{2};

/// Runs on the launcher's thread.
void tell_end(const agent_process_actor& host, const std::string& token,
              const runtime::process_end& end) {
  auto code = end.cause == runtime::end_cause::memory_limit ? error_code::memory_limit
                                                            : error_code::agent_lost;
  caf::anon_send(host,
                 worker_ended{token, {code, runtime::describe(end), {}}, end.error_text});
}

}  // namespace

agent_process_state::~agent_process_state() {
  if (process != 0)
    arguments.launcher->kill(process, "its agent has ended");
  end_channel();
}

void agent_process_state::start(const start_worker& wish) {
  token = wish.token;
  kill_cause = {};
  calls.call(self, arguments.entry.get(), arguments.options.start_timeout_ms, {},
             expect_agent{token},
             [this, expected = token](runtime::expected<agent_address> reply) {
               if (expected != token || process != 0)
                 return;
               if (reply)
                 return launch(reply->port);
               self->send(arguments.listener,
                          worker_ended{token,
                                       {error_code::agent_lost,
                                        "no port for agents: " + reply.error().message,
                                        {}},
                                       {}});
             });
}

runtime::process_spec agent_process_state::spec_of(std::uint16_t port) const {
  runtime::process_spec spec;
  spec.program = arguments.options.program;
  spec.arguments = {"--connect",      "127.0.0.1:" + std::to_string(port),
                    "--heartbeat-ms", std::to_string(arguments.heartbeat_ms),
                    "--lost-ms",      std::to_string(arguments.lost_ms),
                    "--spin-us",      std::to_string(arguments.spin_us),
                    "--label",        arguments.order.label + " on " + arguments.order.device};
  // The environment of a process is seen by its owner only, its arguments by everybody. OpenBLAS
  // would start a thread for each core of the machine beside those of LibTorch.
  spec.environment = {{"DIM_AGENT_TOKEN", token}, {"OPENBLAS_NUM_THREADS", "1"}};
  if (shared) {
    spec.arguments.push_back("--channel");
    auto& held = shared->descriptors();
    spec.descriptors = {held.memory.number(), held.maker_bell.number(), held.guest_bell.number()};
    spec.keeps = shared;
  }
  spec.cpus = arguments.order.cores;
  spec.memory_max_bytes = arguments.order.memory_bytes_max;
  spec.error_text_max = arguments.options.stderr_bytes_max;
  return spec;
}

void agent_process_state::make_channel() {
  if (arguments.options.transport != "shared_memory")
    return;
  auto made = runtime::shared_channel::make();
  if (made)
    shared = std::move(*made);
  else
    runtime::log(runtime::log_level::warn, name, "asks its agent process over the link",
                 {{"model", arguments.order.label}, {"reason", made.error().message}});
}

void agent_process_state::end_channel() {
  shared = nullptr;
  if (auto ended = std::exchange(stand_in, nullptr))
    caf::anon_send_exit(ended, caf::exit_reason::user_shutdown);
}

void agent_process_state::launch(std::uint16_t port) {
  make_channel();
  runtime::launcher::callbacks tell;
  tell.ended = [host = agent_process_actor{self}, name = token](const runtime::process_end& end) {
    tell_end(host, name, end);
  };
  process = arguments.launcher->start(spec_of(port), std::move(tell));
}

void agent_process_state::note_ready(agent_ready& news) {
  if (news.token != token || process == 0)
    return;
  pid = news.pid;
  inference = news.handle;
  self->monitor(inference);
  if (shared) {
    stand_in = self->spawn(channel, channel_arguments{shared, arguments.order.label,
                                                      arguments.order.cores});
    news.handle = stand_in;
  }
  if (arguments.decorate)
    news.handle = arguments.decorate(*self, arguments.order.label, news.handle);
  self->send(arguments.listener, std::move(news));
}

void agent_process_state::kill(const kill_worker& wish) {
  if (wish.token != token)
    return;
  if (process == 0) {
    // It was not launched yet, and will not be.
    token.clear();
    self->send(arguments.listener, worker_ended{wish.token, wish.cause, {}});
    return;
  }
  if (kill_cause.code == error_code::none)
    kill_cause = wish.cause;
  arguments.launcher->kill(process, wish.cause.message);
}

void agent_process_state::note_ended(worker_ended& news) {
  if (news.token != token || process == 0)
    return;
  process = 0;
  pid = 0;
  token.clear();
  end_channel();
  if (auto gone = std::exchange(inference, nullptr))
    self->demonitor(gone.address());
  // A memory limit explains more than the kill that followed it.
  if (kill_cause.code != error_code::none && news.cause.code != error_code::memory_limit)
    news.cause = kill_cause;
  self->send(arguments.listener, std::move(news));
}

void agent_process_state::note_down(const caf::down_msg& news) {
  if (!inference || news.source != inference.address())
    return;
  inference = nullptr;
  self->delayed_send(self, death_notice,
                     kill_worker{token, {error_code::agent_lost,
                                         "the link to the agent process broke", {}}});
}

std::string agent_process_state::describe() const {
  return arguments.order.label + " on " + arguments.order.device +
         (process == 0 ? ", no process" : inference ? ", up" : ", starting") + ", pid " +
         std::to_string(pid);
}

agent_process_actor::behavior_type agent_process(agent_process_state::self_pointer self,
                                                 agent_process_arguments arguments) {
  auto& state = self->state;
  state.arguments = std::move(arguments);
  self->set_down_handler([&state](caf::down_msg& news) { state.note_down(news); });
  return {
    [&state](const start_worker& wish) { state.start(wish); },
    [&state](const kill_worker& wish) { state.kill(wish); },
    [&state](agent_ready& news) { state.note_ready(news); },
    [&state](worker_ended& news) { state.note_ended(news); },
  };
}

}  // namespace dim::actors
