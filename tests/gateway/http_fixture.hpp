#pragma once

#include <condition_variable>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include "gateway/http_status.hpp"
#include "gateway/server.hpp"
#include "tests/gateway/raw_client.hpp"

namespace dim::tests {

using namespace std::chrono_literals;
using namespace dim::gateway;

/// Exchanges that handlers have put aside, for the test to answer.
class held_exchanges {
public:
  void put(exchange_ptr exchange) {
    std::lock_guard guard{mutex_};
    held_.push_back(std::move(exchange));
    changed_.notify_all();
  }
  exchange_ptr take() {
    std::unique_lock guard{mutex_};
    REQUIRE(changed_.wait_for(guard, 20s, [this] { return !held_.empty(); }));
    auto first = std::move(held_.front());
    held_.erase(held_.begin());
    return first;
  }
  /// The next one that comes; null after `end`.
  exchange_ptr take_or_end() {
    std::unique_lock guard{mutex_};
    changed_.wait(guard, [this] { return ended_ || !held_.empty(); });
    if (held_.empty())
      return nullptr;
    auto first = std::move(held_.front());
    held_.erase(held_.begin());
    return first;
  }
  void end() {
    std::lock_guard guard{mutex_};
    ended_ = true;
    changed_.notify_all();
  }

private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<exchange_ptr> held_;
  bool ended_ = false;
};

/// Threads that answer held exchanges with their own bodies, until the end of this.
class answering_threads {
public:
  answering_threads(held_exchanges& held, std::size_t count) : held_(held) {
    for (std::size_t number = 0; number < count; ++number)
      threads_.emplace_back([this] {
        while (auto exchange = held_.take_or_end())
          exchange->reply(json_reply(std::string{exchange->request().body.view()}));
      });
  }
  ~answering_threads() {
    held_.end();
    for (auto& each : threads_)
      each.join();
  }
  answering_threads(const answering_threads&) = delete;
  answering_threads& operator=(const answering_threads&) = delete;

private:
  held_exchanges& held_;
  std::vector<std::thread> threads_;
};

inline server_options server_with_threads(std::uint32_t threads) {
  server_options options;
  options.threads = threads;
  return options;
}

/// Reads a streamed body to its end, and answers with its size.
inline void count_blocks(exchange_ptr exchange, std::size_t total) {
  exchange->read_block([exchange, total](runtime::expected<runtime::bytes> block) {
    if (!block)
      exchange->reply(failure_reply(block.error()));
    else if (block->empty())
      exchange->reply(json_reply(std::to_string(total)));
    else
      count_blocks(exchange, total + block->size());
  });
}

/// A server on a port of its own, with routes that show what sessions do.
struct http_fixture {
  explicit http_fixture(server_options options = {}) : http(routes, prepare(std::move(options))) {
    routes.add(
      {"GET", "/hello", [](exchange_ptr exchange) { exchange->reply(json_reply("\"hello\"")); }});
    routes.add({"POST", "/echo", [](exchange_ptr exchange) {
                  exchange->reply(json_reply(std::string{exchange->request().body.view()}));
                }});
    routes.add({"GET", "/later", [this](exchange_ptr exchange) { held.put(std::move(exchange)); }});
    routes.add(
      {"POST", "/later", [this](exchange_ptr exchange) { held.put(std::move(exchange)); }});
    routes.add({"GET", "/nothing", [](exchange_ptr exchange) {
                  http_reply nothing;
                  nothing.status = 204;
                  exchange->reply(std::move(nothing));
                }});
    routes.add({"GET", "/dropped", [](exchange_ptr) {}});
    routes.add({"GET", "/thrown", [](exchange_ptr) { throw std::runtime_error{"a defect"}; }});
    routes.add({"GET", "/large", [](exchange_ptr exchange) {
                  exchange->reply(json_reply(std::string(8 << 20, 'x')));
                }});
    routes.add({"POST", "/count", [](exchange_ptr exchange) { count_blocks(exchange, 0); },
                body_mode::streamed});
    routes.add({"POST", "/held", [this](exchange_ptr exchange) { held.put(std::move(exchange)); },
                body_mode::streamed});
    auto started = http.start();
    REQUIRE(started);
    port = *started;
  }

  static server_options prepare(server_options options) {
    options.port = 0;
    return options;
  }

  router routes;
  held_exchanges held;
  server http;
  std::uint16_t port = 0;
};

}  // namespace dim::tests
