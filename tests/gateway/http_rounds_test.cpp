// HTTP under load: requests that any thread may run, and answers that go out together.
#include <algorithm>
#include <array>
#include <atomic>
#include <memory>
#include <numeric>
#include <random>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <doctest/doctest.h>

#include <caf/all.hpp>

#include "gateway/http_status.hpp"
#include "gateway/server.hpp"
#include "runtime/system.hpp"
#include "runtime/thread_binding.hpp"
#include "tests/gateway/raw_client.hpp"
#include "tests/support/gate.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using tests::raw_client;
using tests::request_text;

constexpr int clients_max = 8;
constexpr int waiting_clients = 32;
constexpr int rounds = 200;

/// A server whose process says that it has much to do.
class loaded_server {
public:
  explicit loaded_server(std::uint32_t threads = 2, std::vector<std::uint32_t> cores = {})
    : http_(routes_, options_for(threads, std::move(cores))) {
    routes_.add({"POST", "/echo", [this](exchange_ptr exchange) { echo(exchange); },
                 body_mode::buffered, {}, true});
    routes_.add({"POST", "/thrown",
                 [this](exchange_ptr) {
                   shared().traffic.note(many);
                   throw std::runtime_error{"a defect"};
                 },
                 body_mode::buffered, {}, true});
    routes_.add({"POST", "/held", [this](exchange_ptr exchange) {
                   hold.pass();
                   shared().traffic.note(many);
                   exchange->reply(json_reply("\"held\""));
                 }});
    routes_.add({"POST", "/calm", [this](exchange_ptr exchange) {
                   while (!shared().traffic.is_calm())
                     std::this_thread::yield();
                   exchange->reply(json_reply("\"calm\""));
                 }});
    auto started = http_.start(&system_);
    REQUIRE(started);
    port = *started;
  }
  ~loaded_server() {
    http_.stop();
    is_over_ = true;
    if (helper_.joinable())
      helper_.join();
  }

  /// Starts a thread that runs requests which HTTP has read.
  void start_helper() {
    helper_ = std::thread{[this] {
      while (!is_over_)
        if (!shared().spare.help())
          std::this_thread::yield();
    }};
  }

  runtime::system_context& shared() {
    return runtime::context_of(system_);
  }
  /// Requests that the helping thread has run.
  int helped() const {
    return helped_;
  }

  std::uint16_t port = 0;
  /// Holds the thread that has a request for /held.
  tests::gate hold;

private:
  static constexpr std::size_t many = 100;

  static server_options options_for(std::uint32_t threads, std::vector<std::uint32_t> cores) {
    server_options result;
    result.threads = threads;
    result.cores = std::move(cores);
    result.body_bytes_max = 64 << 20;
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
  server http_;
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

/// Clients that tell in which order their answers have come.
class answer_order {
public:
  explicit answer_order(std::uint16_t port) : epoll_(::epoll_create1(0)) {
    REQUIRE(epoll_ >= 0);
    for (int number = 0; number < waiting_clients; ++number) {
      clients_.push_back(std::make_unique<raw_client>(port));
      epoll_event wish{};
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, clients_.back()->native_handle(), &wish);
    }
  }
  ~answer_order() {
    ::close(epoll_);
  }

  /// Sends a request from each of the clients in this order, and takes their answers.
  std::vector<int> ask(const std::vector<int>& order) {
    send(order);
    return take(order);
  }

  void send(const std::vector<int>& order) {
    for (auto number : order)
      watch(number);
    for (auto number : order)
      client(number).send(request_text("POST", "/echo", std::to_string(number)));
  }

  /// Takes the answers to what these have sent.
  std::vector<int> take(const std::vector<int>& order) {
    std::vector<int> answered;
    while (answered.size() < order.size()) {
      std::array<epoll_event, waiting_clients> events{};
      auto count = ::epoll_wait(epoll_, events.data(), waiting_clients, wait_ms);
      REQUIRE(count > 0);
      for (int place = 0; place < count; ++place)
        answered.push_back(events[static_cast<std::size_t>(place)].data.fd);
    }
    for (auto number : answered) {
      auto reply = client(number).read();
      REQUIRE(reply);
      CHECK(reply->body == std::to_string(number));
    }
    return answered;
  }

private:
  static constexpr int wait_ms = 20'000;

  raw_client& client(int number) {
    return *clients_[static_cast<std::size_t>(number)];
  }
  void watch(int number) {
    epoll_event wish{};
    wish.events = EPOLLIN | EPOLLONESHOT;
    wish.data.fd = number;
    ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client(number).native_handle(), &wish);
  }

  int epoll_;
  std::vector<std::unique_ptr<raw_client>> clients_;
};

}  // namespace

TEST_CASE("under load answers go out in the order in which the requests came") {
  // What one core sends goes its way in order; a thread that changes its core may overtake itself.
  auto cores = runtime::cores_of_this_thread();
  loaded_server f{1, {cores.back()}};
  REQUIRE(runtime::bind_this_thread({cores.front()}));
  answer_order clients{f.port};
  raw_client other{f.port};
  std::vector<int> order(waiting_clients);
  std::iota(order.begin(), order.end(), 0);
  std::mt19937 random{1};
  for (int round = 0; round < rounds; ++round) {
    // When this is answered, the server waits for the next request of each client.
    REQUIRE(other.ask(request_text("POST", "/echo", "x")).status == 200);
    std::shuffle(order.begin(), order.end(), random);
    CHECK(clients.ask(order) == order);
  }
  CHECK(runtime::bind_this_thread(cores));
}

TEST_CASE("a calm moment in the midst of a round lets nobody get past those who came before") {
  loaded_server f{1};
  answer_order clients{f.port};
  raw_client holding{f.port};
  raw_client calming{f.port};
  // The server waits for the next request of each.
  for (auto* each : {&holding, &calming})
    REQUIRE(each->ask(request_text("POST", "/echo", "x")).status == 200);
  clients.ask({0, 1, 2});
  f.hold.close();
  REQUIRE(holding.send(request_text("POST", "/held")));
  f.hold.wait_held();
  clients.send({0, 1});
  REQUIRE(calming.send(request_text("POST", "/calm")));
  clients.send({2});
  f.hold.open();
  CHECK(clients.take({0, 1, 2}) == std::vector<int>{0, 1, 2});
  CHECK(holding.read()->body == "\"held\"");
  CHECK(calming.read()->body == "\"calm\"");
}

TEST_CASE("under load each client gets its own answers, whichever thread runs its requests") {
  loaded_server f;
  f.start_helper();
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
  f.start_helper();
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
  f.start_helper();
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
  f.start_helper();
  auto right = ask_all([&](int number, const std::string& text) {
    raw_client client{f.port};
    if (number == 0)
      return client.ask(request_text("POST", "/thrown", text)).status == 500;
    return client.ask(request_text("POST", "/echo", text)).body == text;
  });
  CHECK(right == clients_max * rounds);
}

TEST_CASE("under load an answer that has no room in its socket goes out as its client reads") {
  loaded_server f;
  // The second connection has a thread that no timer wakes.
  raw_client first{f.port};
  raw_client client{f.port};
  int little = 128 << 10;
  REQUIRE(::setsockopt(client.native_handle(), SOL_SOCKET, SO_RCVBUF, &little, sizeof(little))
          == 0);
  std::string large(8 << 20, 'x');
  for (int round = 0; round < 20; ++round)
    CHECK(client.ask(request_text("POST", "/echo", large)).body == large);
}

TEST_CASE("under load a body that is compressed stays on its connection's thread") {
  loaded_server f;
  f.start_helper();
  auto right = ask_all([&](int, const std::string& text) {
    raw_client client{f.port};
    auto request = request_text("POST", "/echo", text, "Content-Encoding: gzip\r\n");
    return client.ask(request).body == text;
  });
  CHECK(right == clients_max * rounds);
  CHECK(f.helped() == 0);
}
