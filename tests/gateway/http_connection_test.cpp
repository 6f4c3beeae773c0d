#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include <doctest/doctest.h>

#include <poll.h>

#include "tests/gateway/http_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = http_fixture;

TEST_CASE("a client that stops in the middle is cut off after the idle time") {
  server_options options;
  options.idle_timeout = 100ms;
  fixture f{options};
  for (auto text :
       {"", "GET /hel", "POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nab"}) {
    CAPTURE(text);
    raw_client client{f.port};
    REQUIRE(client.send(text));
    CHECK(client.is_closed());
  }
  raw_client waiting{f.port};
  REQUIRE(waiting.send(request_text("GET", "/later")));
  auto exchange = f.held.take();
  raw_client silent{f.port};
  CHECK(silent.is_closed());
  exchange->reply(json_reply("\"late\""));
  CHECK(waiting.read()->body == "\"late\"");
}

TEST_CASE("a body that trickles in is cut off after the idle time, a steady one is not") {
  /// Whether the other side has answered or closed within a pace's time.
  auto has_ended = [](const raw_client& client, int pace_ms) {
    pollfd wait{client.native_handle(), POLLIN, 0};
    return ::poll(&wait, 1, pace_ms) > 0;
  };
  server_options options;
  options.idle_timeout = 300ms;
  fixture f{options};
  for (const auto* target : {"/echo", "/count"}) {
    CAPTURE(target);
    raw_client slow{f.port};
    REQUIRE(slow.send(request_text("POST", target, {}, "Content-Length: 100000\r\n")));
    std::size_t sent = 0;
    while (!has_ended(slow, 5) && sent < 4'000 && slow.send("x"))
      ++sent;
    CHECK(slow.is_closed());
    CHECK(sent < 4'000);
    raw_client steady{f.port};
    constexpr std::size_t steps = 60;
    const std::string step(16 << 10, 'x');
    REQUIRE(steady.send(request_text(
      "POST", target, {}, "Content-Length: " + std::to_string(steps * step.size()) + "\r\n")));
    for (std::size_t index = 0; index < steps; ++index) {
      REQUIRE(steady.send(step));
      if (index + 1 < steps)
        REQUIRE_FALSE(has_ended(steady, 10));
    }
    CHECK(steady.read()->status == 200);
  }
}

TEST_CASE("a streamed body is read block by block, and only as it is asked for") {
  fixture f;
  raw_client counted{f.port};
  CHECK(counted.ask(request_text("POST", "/count", std::string(3 << 20, 'x'))).body
        == std::to_string(3 << 20));

  constexpr std::size_t total = 64 << 20;
  raw_client client{f.port};
  REQUIRE(client.send(
    request_text("POST", "/held", {}, "Content-Length: " + std::to_string(total) + "\r\n")));
  auto exchange = f.held.take();
  std::string piece(1 << 20, 'x');
  std::size_t sent = 0;
  while (sent < total && client.wait_writable(300))
    sent += client.send_some(piece);
  CHECK(sent < total / 2);
  MESSAGE("the connection took " << sent << " bytes before a block was asked for");
  exchange->post([exchange] { count_blocks(exchange, 0); });
  REQUIRE(client.send(std::string(total - sent, 'x')));
  CHECK(client.read()->body == std::to_string(total));
}

TEST_CASE("an answer before the end of a streamed body closes the connection after it") {
  fixture f;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("POST", "/held", {}, "Content-Length: 1000\r\n") + "some"));
  f.held.take()->reply(failure_reply({runtime::error_code::conflict, "no", {}}));
  auto reply = client.read();
  CHECK(reply->status == 409);
  CHECK(reply->headers["connection"] == "close");
  client.send(std::string(996, 'x'));
  CHECK(client.is_closed());
}

TEST_CASE("more connections than are taken at once are all served, on all threads in turn") {
  constexpr int count = 200;
  std::mutex mutex;
  std::map<std::thread::id, int> served;
  router routes;
  routes.add({"GET", "/thread", [&](exchange_ptr exchange) {
                {
                  std::lock_guard guard{mutex};
                  ++served[std::this_thread::get_id()];
                }
                exchange->reply(json_reply("0"));
              }});
  server http{routes, server_with_threads(2)};
  auto port = http.start();
  REQUIRE(port);
  std::vector<std::unique_ptr<raw_client>> clients;
  for (int number = 0; number < count; ++number)
    clients.push_back(std::make_unique<raw_client>(*port));
  for (auto& each : clients)
    CHECK(each->ask(request_text("GET", "/thread")).status == 200);
  http.stop();
  REQUIRE(served.size() == 2);
  for (auto& [thread, requests] : served)
    CHECK(requests == count / 2);
}

TEST_CASE("connections beyond the limit are told so, and the others go on") {
  server_options options;
  options.connections_max = 2;
  fixture f{options};
  raw_client first{f.port};
  raw_client second{f.port};
  CHECK(first.ask(request_text("GET", "/hello")).status == 200);
  CHECK(second.ask(request_text("GET", "/hello")).status == 200);
  raw_client third{f.port};
  auto refusal = third.read();
  REQUIRE(refusal);
  CHECK(refusal->status == 503);
  CHECK(refusal->headers.contains("retry-after"));
  CHECK(third.is_closed());
  CHECK(first.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("draining closes idle connections, waits for answers that are due, and takes no more") {
  fixture f;
  raw_client idle{f.port};
  CHECK(idle.ask(request_text("GET", "/hello")).status == 200);
  raw_client busy{f.port};
  REQUIRE(busy.send(request_text("GET", "/later")));
  auto exchange = f.held.take();
  CHECK(!f.http.drain(std::chrono::steady_clock::now() + 50ms));
  CHECK(idle.is_closed());
  exchange->reply(json_reply("\"last\""));
  exchange.reset();
  auto reply = busy.read();
  CHECK(reply->body == "\"last\"");
  CHECK(reply->headers["connection"] == "close");
  busy.close();
  CHECK(f.http.drain(std::chrono::steady_clock::now() + 20s));
  CHECK(f.http.connections() == 0);
}

TEST_CASE("stopping ends connections whose handlers have not answered") {
  exchange_ptr exchange;
  {
    fixture f;
    raw_client client{f.port};
    REQUIRE(client.send(request_text("GET", "/later")));
    f.held.take();
    CHECK(client.read()->status == 500);
    REQUIRE(client.send(request_text("POST", "/held", {}, "Content-Length: 10\r\n")));
    exchange = f.held.take();
    exchange->post([exchange] { exchange->read_block([exchange](auto) {}); });
    exchange.reset();
    f.http.stop();
    CHECK(!client.read());
  }
}

TEST_CASE("a port that is taken is a failure to start, in words") {
  fixture f;
  router routes;
  server_options options;
  options.port = f.port;
  server second{routes, options};
  auto started = second.start();
  REQUIRE(!started);
  CHECK(started.error().code == runtime::error_code::unavailable);
  CHECK(started.error().message.find(std::to_string(f.port)) != std::string::npos);
}

}  // namespace
