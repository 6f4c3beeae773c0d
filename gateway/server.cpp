#include "gateway/server.hpp"

#include <algorithm>
#include <atomic>
#include <memory>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "gateway/answer_round.hpp"
#include "gateway/http_session.hpp"
#include "runtime/actor_lane.hpp"
#include "runtime/spin_wait.hpp"
#include "runtime/system.hpp"
#include "runtime/thread_binding.hpp"

namespace dim::gateway {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using tcp = asio::ip::tcp;

/// Connections beyond the limit that are still told so.
constexpr std::size_t refused_max = 64;
/// Connections that are taken before requests have their turn again.
constexpr std::size_t accepts_max = 64;
/// Pause after an accept that failed, which it does while the process has no file descriptor left.
constexpr std::chrono::milliseconds accept_pause{50};
/// Pause between two looks for clients that have gone, of which the second tells, and at deadlines.
constexpr std::chrono::milliseconds watch_pause{50};
/// Handlers of connections that run before the actors whom they woke. Many requests go through the
/// actors together, and into one batch; but the model gets the first ones while more are read.
constexpr std::size_t round_max = 16;
/// After so many full rounds in a row there is more than the model waits for: rounds are longer
/// then, so that there are fewer ends of rounds.
constexpr std::size_t full_rounds = 6;
constexpr std::size_t long_round_max = 64;
/// A thread that has not slept for so long gives its core to whoever waits for it: above all to
/// those whom its answers have woken there, and who would else wait until the kernel's next tick.
constexpr std::chrono::microseconds core_turn{300};
/// Failed questions to the actors still become answers, and closed sessions end, in much less.
constexpr std::chrono::milliseconds closing_max{1'000};

}  // namespace

struct server::core {
  core(const router& routes, server_options options)
    : routes(routes),
      options(std::move(options)),
      contexts(make_contexts(this->options.threads)),
      acceptor(*contexts.front()),
      accept_timer(acceptor.get_executor()),
      watch_timer(*contexts.front()) {
  }

  static std::vector<std::unique_ptr<asio::io_context>> make_contexts(std::uint32_t threads) {
    std::vector<std::unique_ptr<asio::io_context>> result;
    for (std::uint32_t index = 0; index < std::max(1u, threads); ++index)
      result.push_back(std::make_unique<asio::io_context>(1));
    return result;
  }

  error_code listen() {
    error_code error;
    tcp::resolver resolver{*contexts.front()};
    auto found =
      resolver.resolve(options.bind, std::to_string(options.port), tcp::resolver::passive, error);
    if (error)
      return error;
    auto endpoint = found.begin()->endpoint();
    acceptor.open(endpoint.protocol(), error);
    if (!error)
      acceptor.set_option(asio::socket_base::reuse_address{true}, error);
    if (!error)
      acceptor.bind(endpoint, error);
    if (!error)
      acceptor.listen(asio::socket_base::max_listen_connections, error);
    if (!error)
      acceptor.non_blocking(true, error);
    return error;
  }

  void accept() {
    acceptor.async_wait(tcp::acceptor::wait_read, [this](error_code error) {
      if (error != asio::error::operation_aborted && acceptor.is_open())
        accept_waiting();
    });
  }

  /// Takes those who wait, many at a time: else, under load, each would wait for the requests of
  /// all who are in already.
  void accept_waiting() {
    for (std::size_t count = 0; count < accepts_max; ++count) {
      // Each connection stays on one thread: no two of them ever wake each other for it.
      http_session::socket_type socket{*contexts[accepted % contexts.size()]};
      error_code error;
      acceptor.accept(socket, error);
      if (error == asio::error::would_block)
        break;
      if (error)
        return accept_later();
      ++accepted;
      take(std::move(socket));
    }
    accept();
  }

  void accept_later() {
    accept_timer.expires_after(accept_pause);
    accept_timer.async_wait([this](error_code) {
      if (acceptor.is_open())
        accept();
    });
  }

  void take(http_session::socket_type socket) {
    auto open = sessions->size();
    if (draining.load() || open >= options.connections_max + refused_max)
      return;
    session_limits limits{options.header_bytes_max, options.body_bytes_max, options.idle_timeout};
    auto session =
      std::make_shared<http_session>(std::move(socket), routes, limits, sessions, shared);
    if (open >= options.connections_max)
      session->refuse();
    else
      session->start();
  }

  /// What one thread does.
  static void serve(asio::io_context& context, caf::actor_system* system,
                    const std::vector<std::uint32_t>& cores) {
    // On cores that are not there any more it runs as well, anywhere.
    if (!cores.empty())
      std::ignore = runtime::bind_this_thread(cores);
    if (system == nullptr) {
      runtime::traffic unknown;
      return run(context, nullptr, {}, unknown);
    }
    auto& shared = runtime::context_of(*system);
    auto& lane = shared.lanes.take(*system);
    lane.enter({});
    answer_round answers;
    run(context, &lane, shared.spin_limit, shared.traffic);
    // What was offered last holds sessions, which must not outlive the server.
    shared.spare.run_all();
    answers.send_all();
    lane.leave();
    shared.lanes.give_back(lane);
  }

  static void run(asio::io_context& context, runtime::actor_lane* lane,
                  std::chrono::microseconds spin_limit, runtime::traffic& traffic) {
    runtime::spin_wait waiting{spin_limit, traffic};
    std::size_t full_in_a_row = 0;
    auto turn_end = std::chrono::steady_clock::now() + core_turn;
    auto run_next = [&] {
      if (std::chrono::steady_clock::now() >= turn_end) {
        traffic.give_core_away();
        turn_end = std::chrono::steady_clock::now() + core_turn;
      }
      auto size = full_in_a_row < full_rounds ? round_max : long_round_max;
      auto done = run_round(context, lane, size);
      full_in_a_row = done == size ? full_in_a_row + 1 : 0;
      return done > 0;
    };
    while (!context.stopped()) {
      try {
        if (!run_next() && !waiting.look(run_next)) {
          context.run_one();
          turn_end = std::chrono::steady_clock::now() + core_turn;
          run_next();
        }
      } catch (const std::exception& problem) {
        log_handler_exception(problem);
      }
    }
  }

  /// Runs what is ready, what it has offered to other threads and they have not taken, and the
  /// actors that all this woke. Returns how many handlers it ran.
  static std::size_t run_round(asio::io_context& context, runtime::actor_lane* lane,
                               std::size_t size) {
    std::size_t done = 0;
    while (done < size && context.poll_one() > 0)
      ++done;
    auto* answers = answer_round::of_this_thread();
    if (answers != nullptr)
      answers->send_all();
    if (lane != nullptr) {
      runtime::context_of(lane->system()).spare.run_all();
      lane->run();
    }
    // Handlers and actors have refused some at once.
    if (answers != nullptr) {
      answers->send_all();
      answers->end();
    }
    return done;
  }

  /// Looks again and again for clients that have gone while their request was worked on, and at
  /// what else has a deadline.
  void watch_peers() {
    watch_timer.expires_after(watch_pause);
    watch_timer.async_wait([this](error_code error) {
      if (error)
        return;
      sessions->look_for_peers();
      options.watch();
      watch_peers();
    });
  }

  void close_acceptor() {
    asio::post(acceptor.get_executor(), [this] {
      error_code ignored;
      acceptor.close(ignored);
      accept_timer.cancel();
    });
  }

  const router& routes;
  const server_options options;
  /// One a thread.
  std::vector<std::unique_ptr<asio::io_context>> contexts;
  std::size_t accepted = 0;
  asio::basic_socket_acceptor<tcp> acceptor;
  asio::steady_timer accept_timer;
  asio::steady_timer watch_timer;
  std::shared_ptr<session_set> sessions = std::make_shared<session_set>();
  /// Of the actor system; null without one.
  runtime::system_context* shared = nullptr;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> work;
  std::vector<std::thread> threads;
  std::atomic<bool> draining{false};
};

server::server(const router& routes, server_options options)
  : core_(std::make_unique<core>(routes, std::move(options))) {
}

server::~server() {
  stop();
}

runtime::expected<std::uint16_t> server::start(caf::actor_system* system) {
  if (auto error = core_->listen())
    return runtime::fail(runtime::error_code::unavailable,
                         "can not listen on " + core_->options.bind + ":"
                           + std::to_string(core_->options.port) + ": " + error.message());
  if (system != nullptr)
    core_->shared = &runtime::context_of(*system);
  for (auto& context : core_->contexts)
    core_->work.emplace_back(context->get_executor());
  core_->accept();
  core_->watch_peers();
  for (auto& context : core_->contexts)
    core_->threads.emplace_back([&each = *context, system, &cores = core_->options.cores] {
      core::serve(each, system, cores);
    });
  return core_->acceptor.local_endpoint().port();
}

bool server::drain(std::chrono::steady_clock::time_point deadline) {
  core_->draining = true;
  core_->close_acceptor();
  for (auto& session : core_->sessions->all())
    session->drain();
  return core_->sessions->wait_empty(deadline);
}

void server::stop() {
  if (core_->threads.empty())
    return;
  drain(std::chrono::steady_clock::now() + closing_max);
  for (auto& session : core_->sessions->all())
    session->close();
  core_->sessions->wait_empty(std::chrono::steady_clock::now() + closing_max);
  core_->work.clear();
  for (auto& context : core_->contexts)
    context->stop();
  for (auto& thread : core_->threads)
    thread.join();
  core_->threads.clear();
}

std::size_t server::connections() const {
  return core_->sessions->size();
}

}  // namespace dim::gateway
