// HTTP under load: requests that any thread may run, and answers that go out together.
#include <atomic>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <caf/all.hpp>

#include "gateway/http_status.hpp"
#include "gateway/server.hpp"
#include "runtime/system.hpp"
#include "tests/gateway/raw_client.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using tests::raw_client;
using tests::request_text;

constexpr int clients_max = 8;
constexpr int rounds = 200;

/// A server whose process says that it has much to do, and a thread that helps it.
class loaded_server {
public:
  loaded_server() {
    routes_.add({"POST", "/echo", [this](exchange_ptr exchange) { echo(exchange); },
                 body_mode::buffered, {}, true});
    routes_.add({"POST", "/thrown",
                 [this](exchange_ptr) {
                   shared().traffic.note(many);
                   throw std::runtime_error{"a defect"};
                 },
                 body_mode::buffered, {}, true});
    auto started = http_.start(&system_);
    REQUIRE(started);
    port = *started;
    helper_ = std::thread{[this] {
      while (!is_over_)
        if (!shared().spare.help())
          std::this_thread::yield();
    }};
  }
  ~loaded_server() {
    http_.stop();
    is_over_ = true;
    helper_.join();
  }

  runtime::system_context& shared() {
    return runtime::context_of(system_);
  }
  /// Requests that the helping thread has run.
  int helped() const {
    return helped_;
  }

  std::uint16_t port = 0;

private:
  static constexpr std::size_t many = 100;

  static server_options options() {
    server_options result;
    result.threads = 2;
    return result;
  }

  void echo(const exchange_ptr& exchange) {
    shared().traffic.note(many);
    helped_ += std::this_thread::get_id() == helper_.get_id();
    auto reply = json_reply(std::string{exchange->request().body.view()});
    // As answers of actors come: to the connection's own thread, with others.
    exchange->post([exchange, reply] { exchange->reply(reply); });
  }

  runtime::system_config config_;
  caf::actor_system system_{config_};
  router routes_;
  server http_{routes_, options()};
  std::atomic<bool> is_over_{false};
  std::atomic<int> helped_{0};
  std::thread helper_;
};

/// Asks from many connections at once; how many answers were right.
template <class Ask>
int ask_all(Ask ask) {
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int number = 0; number < clients_max; ++number)
    clients.emplace_back([&, number] {
      for (int round = 0; round < rounds; ++round)
        right += ask(number, std::to_string(number) + "." + std::to_string(round));
    });
  for (auto& each : clients)
    each.join();
  return right;
}

}  // namespace

TEST_CASE("under load each client gets its own answers, whichever thread runs its requests") {
  loaded_server f;
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int number = 0; number < clients_max; ++number)
    clients.push_back(std::make_unique<raw_client>(f.port));
  auto right = ask_all([&](int number, const std::string& text) {
    auto& client = *clients[static_cast<std::size_t>(number)];
    // The second is sent ahead.
    client.send(request_text("POST", "/echo", text) + request_text("POST", "/echo", text + "b"));
    auto one = client.read();
    auto other = client.read();
    return one && one->body == text && other && other->body == text + "b";
  });
  CHECK(right == clients_max * rounds);
  MESSAGE("the helping thread ran " << f.helped() << " of " << 2 * right);
}

TEST_CASE("under load a large body and a large answer arrive whole among small ones") {
  loaded_server f;
  std::string large(300'000, 'x');
  auto right = ask_all([&](int number, const std::string& text) {
    raw_client client{f.port};
    auto body = number == 0 ? large : text;
    return client.ask(request_text("POST", "/echo", body)).body == body;
  });
  CHECK(right == clients_max * rounds);
}

TEST_CASE("under load clients that leave end their own connection only") {
  loaded_server f;
  auto right = ask_all([&](int number, const std::string& text) {
    raw_client client{f.port};
    client.send(request_text("POST", "/echo", text));
    if (number % 2 == 0)
      return true;
    auto reply = client.read();
    return reply && reply->body == text;
  });
  CHECK(right == clients_max * rounds);
}

TEST_CASE("a quick handler that throws under load answers 500, and ends no thread") {
  loaded_server f;
  auto right = ask_all([&](int number, const std::string& text) {
    raw_client client{f.port};
    if (number == 0)
      return client.ask(request_text("POST", "/thrown", text)).status == 500;
    return client.ask(request_text("POST", "/echo", text)).body == text;
  });
  CHECK(right == clients_max * rounds);
}
