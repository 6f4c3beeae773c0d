#include <atomic>
#include <future>
#include <thread>

#include <doctest/doctest.h>

#include "tests/gateway/http_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using fixture = http_fixture;

server_options small_limits() {
  server_options options;
  options.header_bytes_max = 1'000;
  options.body_bytes_max = 10'000;
  return options;
}

TEST_CASE("one connection serves request after request") {
  fixture f;
  raw_client client{f.port};
  for (int i = 0; i < 50; ++i) {
    auto body = std::string(static_cast<std::size_t>(i * 100), 'a' + i % 26);
    auto reply =
      client.ask(request_text("POST", "/echo", body, body.empty() ? "Content-Length: 0\r\n" : ""));
    CHECK(reply.status == 200);
    CHECK((reply.body == body));
  }
  auto reply = client.ask(request_text("GET", "/hello"));
  CHECK(reply.headers["content-type"] == "application/json");
  CHECK(reply.headers.contains("date"));
  CHECK(f.http.connections() == 1);
}

TEST_CASE("requests that are sent ahead are answered in their order") {
  fixture f;
  raw_client client{f.port};
  std::string ahead;
  for (int i = 0; i < 100; ++i)
    ahead += request_text("POST", "/echo", std::to_string(i));
  ahead += request_text("GET", "/later") + request_text("GET", "/hello");
  REQUIRE(client.send(ahead));
  for (int i = 0; i < 100; ++i)
    CHECK(client.read()->body == std::to_string(i));
  auto exchange = f.held.take();
  CHECK(client.peek() == "");
  exchange->reply(json_reply("\"now\""));
  CHECK(client.read()->body == "\"now\"");
  CHECK(client.read()->body == "\"hello\"");
}

TEST_CASE("HTTP/1.0 and Connection: close end the connection after the answer") {
  fixture f;
  raw_client old{f.port};
  CHECK(old.ask("GET /hello HTTP/1.0\r\n\r\n").status == 200);
  CHECK(old.is_closed());
  raw_client closing{f.port};
  auto reply = closing.ask(request_text("GET", "/hello", {}, "Connection: close\r\n"));
  CHECK(reply.headers["connection"] == "close");
  CHECK(closing.is_closed());
  raw_client kept{f.port};
  reply = kept.ask("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  CHECK(reply.headers["connection"] == "keep-alive");
  CHECK(kept.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("HEAD gives the header of GET without its body") {
  fixture f;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("HEAD", "/hello")));
  auto reply = client.read(false);
  CHECK(reply->status == 200);
  CHECK(reply->headers["content-length"] == "7");
  CHECK(client.ask(request_text("GET", "/hello")).body == "\"hello\"");
}

TEST_CASE("a chunked body comes whole to its handler") {
  fixture f;
  raw_client client{f.port};
  auto head = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  auto reply =
    client.ask(std::string{head} + "3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n");
  CHECK(reply.body == "abcdefg");
  CHECK(client.ask(std::string{head} + "0\r\n\r\n").body == "");
}

TEST_CASE("100-continue is sent before the body is read, and not when it is refused") {
  fixture f{small_limits()};
  raw_client client{f.port};
  auto expect = "Expect: 100-continue\r\nContent-Length: 5\r\n";
  REQUIRE(client.send(request_text("POST", "/echo", {}, expect)));
  CHECK(client.read()->status == 100);
  CHECK(client.ask("12345").body == "12345");
  raw_client streamed{f.port};
  REQUIRE(streamed.send(request_text("POST", "/count", {}, expect)));
  CHECK(streamed.read()->status == 100);
  CHECK(streamed.ask("12345").body == "5");
  raw_client refused{f.port};
  auto too_much = "Expect: 100-continue\r\nContent-Length: 20000\r\n";
  CHECK(refused.ask(request_text("POST", "/echo", {}, too_much)).status == 413);
  raw_client lost{f.port};
  CHECK(lost.ask(request_text("POST", "/nowhere", {}, expect)).status == 404);
  raw_client other{f.port};
  CHECK(other.ask(request_text("GET", "/hello", {}, "Expect: wonders\r\n")).status == 417);
}

TEST_CASE("a body over the limit is 413, declared or chunked, and the client gets to read it") {
  fixture f{small_limits()};
  raw_client declared{f.port};
  auto reply = declared.ask(request_text("POST", "/echo", std::string(20'000, 'x')));
  CHECK(reply.status == 413);
  CHECK(reply.body.find("\"too_large\"") != std::string::npos);
  raw_client chunked{f.port};
  std::string body = "POST /echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (int i = 0; i < 20; ++i)
    body += "400\r\n" + std::string(0x400, 'x') + "\r\n";
  CHECK(chunked.ask(body + "0\r\n\r\n").status == 413);
  raw_client fits{f.port};
  CHECK(fits.ask(request_text("POST", "/echo", std::string(10'000, 'x'))).status == 200);
}

TEST_CASE("a body of 100 MB is refused while it is still coming, and the server goes on") {
  fixture f;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("POST", "/echo", {}, "Content-Length: 100000000\r\n")));
  std::string piece(1 << 20, 'x');
  for (int i = 0; i < 95; ++i)
    client.send(piece);
  CHECK(client.read()->status == 413);
  raw_client next{f.port};
  CHECK(next.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("a header over the limit is 431") {
  fixture f{small_limits()};
  raw_client client{f.port};
  auto reply =
    client.ask(request_text("GET", "/hello", {}, "X: " + std::string(2'000, 'x') + "\r\n"));
  CHECK(reply.status == 431);
  CHECK(client.is_closed());
}

TEST_CASE("what is not one clear HTTP request is refused, and the connection closed") {
  fixture f;
  auto host = std::string{"Host: t\r\n"};
  struct {
    std::string text;
    int status;
  } cases[] = {
    {"POST /echo HTTP/1.1\r\n" + host
       + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
     400},
    {"POST /echo HTTP/1.1\r\n" + host
       + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\nabc",
     400},
    {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: gzip\r\n\r\n", 400},
    {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400},
    {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: -3\r\n\r\nabc", 400},
    {"POST /echo HTTP/1.1\r\n" + host + "Content-Length: 99999999999999999999\r\n\r\nabc", 400},
    {"POST /echo HTTP/1.1\r\n" + host + "Transfer-Encoding: chunked\r\n\r\nxyz\r\n", 400},
    {"GET /hello HTTP/1.1\r\n\r\n", 400},
    {"GET /hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
    {"GET /hello HTTP/2.0\r\nHost: a\r\n\r\n", 505},
    {"GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"GET hello HTTP/1.1\r\nHost: a\r\n\r\n", 400},
    {"nonsense\r\n\r\n", 400},
    {std::string("\x16\x03\x01\x02\x00\x01\x00", 7), 400},
  };
  for (auto& [text, status] : cases) {
    CAPTURE(text);
    raw_client client{f.port};
    REQUIRE(client.send(text));
    client.finish_sending();
    auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == status);
    CHECK(reply->body.find("\"error\"") != std::string::npos);
    CHECK(client.is_closed());
  }
  raw_client next{f.port};
  CHECK(next.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("behind a request whose end is not sure nothing is taken for another") {
  fixture f;
  auto host = std::string{"Host: t\r\n"};
  struct {
    const char* codings;
    int status;
  } cases[] = {
    {"Transfer-Encoding: gzip\r\n", 400},
    {"Transfer-Encoding: identity\r\n", 400},
    {"Transfer-Encoding: xchunked\r\n", 400},
    {"Transfer-Encoding:\r\n", 400},
    {"Transfer-Encoding: chunked, identity\r\n", 400},
    {"Transfer-Encoding: chunked, chunked\r\n", 400},
    {"Transfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n", 400},
    {"Transfer-Encoding: gzip, chunked\r\n", 501},
    {"Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n", 501},
    {"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", 400},
  };
  for (auto& [codings, status] : cases)
    for (auto line : {"POST /echo HTTP/1.1\r\n", "GET /hello HTTP/1.1\r\n"}) {
      CAPTURE(codings);
      CAPTURE(line);
      raw_client client{f.port};
      REQUIRE(client.send(line + host + codings + "\r\n0\r\n\r\n"
                          + request_text("GET", "/hello")));
      auto reply = client.read();
      REQUIRE(reply);
      CHECK(reply->status == status);
      CHECK(reply->headers["connection"] == "close");
      client.finish_sending();
      CHECK(client.is_closed());
    }
  raw_client old{f.port};
  REQUIRE(old.send("POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked"
                   "\r\n\r\n2\r\nab\r\n0\r\n\r\n"
                   + request_text("GET", "/hello")));
  auto reply = old.read();
  REQUIRE(reply);
  CHECK(reply->body == "ab");
  old.finish_sending();
  CHECK(old.is_closed());
}

TEST_CASE("empty lines before a request are passed over, in whatever pieces they come") {
  fixture f{server_with_threads(1)};
  raw_client other{f.port};
  raw_client client{f.port};
  // With one thread the piece has been read before all of these are answered.
  auto send_alone = [&](std::string_view piece) {
    REQUIRE(client.send(piece));
    for (int i = 0; i < 3; ++i)
      CHECK(other.ask(request_text("GET", "/hello")).status == 200);
  };
  CHECK(client.ask("\r\n\r\n" + request_text("GET", "/hello")).status == 200);
  CHECK(client.ask(request_text("POST", "/echo", "ab")).status == 200);
  send_alone("\r");
  send_alone("\n");
  CHECK(client.ask("\r\n" + request_text("POST", "/echo", "cd")).body == "cd");
  raw_client leaving{f.port};
  REQUIRE(leaving.send("\r\n\r"));
  leaving.finish_sending();
  CHECK(leaving.is_closed());
}

TEST_CASE("a refused HEAD gets no body, and an answer without content no length") {
  fixture f;
  auto host = std::string{"Host: t\r\n"};
  for (auto text : {"HEAD /hello HTTP/3.0\r\n" + host + "\r\n",
                    "HEAD /hello HTTP/1.1\r\n" + host + "no field\r\n\r\n",
                    std::string{"HEAD /hello HTTP/1.1\r\n\r\n"},
                    "HEAD /%zz HTTP/1.1\r\n" + host + "\r\n",
                    "HEAD /hello HTTP/1.1\r\n" + host + "Connection: close\r\n\r\n"}) {
    CAPTURE(text);
    raw_client client{f.port};
    REQUIRE(client.send(text));
    client.finish_sending();
    auto reply = client.read(false);
    REQUIRE(reply);
    CHECK(reply->headers.at("content-length") != "0");
    CHECK(client.is_closed());
  }
  raw_client client{f.port};
  auto reply = client.ask(request_text("GET", "/nothing"));
  CHECK(reply.status == 204);
  CHECK(!reply.headers.contains("content-length"));
  CHECK(client.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("a body that ends before its length is 400") {
  fixture f;
  for (auto path : {"/echo", "/count"}) {
    CAPTURE(path);
    raw_client client{f.port};
    REQUIRE(client.send(request_text("POST", path, {}, "Content-Length: 1000\r\n") + "only this"));
    client.finish_sending();
    auto reply = client.read();
    REQUIRE(reply);
    CHECK(reply->status == 400);
    CHECK(client.is_closed());
  }
}

TEST_CASE(
  "unknown paths and methods are answered, and keep the connection where nothing is unread") {
  fixture f;
  raw_client client{f.port};
  CHECK(client.ask(request_text("GET", "/nowhere")).status == 404);
  auto wrong = client.ask(request_text("DELETE", "/hello"));
  CHECK(wrong.status == 405);
  CHECK(wrong.headers["allow"] == "GET, HEAD");
  CHECK(client.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("a handler that lets go of its exchange, or throws, answers 500") {
  fixture f;
  raw_client client{f.port};
  CHECK(client.ask(request_text("GET", "/dropped")).status == 500);
  CHECK(client.ask(request_text("GET", "/thrown")).status == 500);
  CHECK(client.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("only the first answer to a request counts, from whatever thread it comes") {
  fixture f;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("GET", "/later")));
  auto exchange = f.held.take();
  std::atomic<int> answers{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i)
    threads.emplace_back([&] {
      exchange->reply(json_reply("\"first\""));
      ++answers;
    });
  for (auto& each : threads)
    each.join();
  exchange.reset();
  CHECK(client.read()->body == "\"first\"");
  CHECK(client.ask(request_text("GET", "/hello")).body == "\"hello\"");
  CHECK(answers == 8);
}

TEST_CASE("answers of other threads arrive, each at its own client, also to requests sent ahead") {
  http_fixture f{server_with_threads(2)};
  constexpr int clients_max = 4;
  constexpr int rounds = 200;
  answering_threads answering{f.held, 3};
  std::atomic<int> right{0};
  std::vector<std::thread> clients;
  for (int number = 0; number < clients_max; ++number)
    clients.emplace_back([&, number] {
      raw_client client{f.port};
      for (int round = 0; round < rounds; ++round) {
        auto first = std::to_string(number) + "." + std::to_string(round);
        // The second comes while the first is answered by another thread.
        client.send(request_text("POST", "/later", first)
                    + request_text("POST", "/later", first + "b"));
        auto one = client.read();
        auto other = client.read();
        right += one && one->body == first && other && other->body == first + "b";
      }
    });
  for (auto& each : clients)
    each.join();
  CHECK(right == clients_max * rounds);
}

TEST_CASE("clients that close while other threads answer them end their own connection only") {
  http_fixture f{server_with_threads(2)};
  answering_threads answering{f.held, 3};
  raw_client staying{f.port};
  for (int round = 0; round < 200; ++round) {
    raw_client leaving{f.port};
    leaving.send(request_text("POST", "/later", "leaving"));
    leaving.close();
    CHECK(staying.ask(request_text("POST", "/later", "staying")).body == "staying");
  }
  CHECK(f.http.drain(std::chrono::steady_clock::now() + 10s));
}

TEST_CASE("a watcher that holds the last exchange may be let go by whoever answers") {
  http_fixture f;
  raw_client client{f.port};
  REQUIRE(client.send(request_text("POST", "/later")));
  auto exchange = f.held.take();
  std::promise<void> watched;
  exchange->post([&, exchange] {
    exchange->watch([exchange] {});
    watched.set_value();
  });
  REQUIRE(watched.get_future().wait_for(10s) == std::future_status::ready);
  std::thread{[answering = std::move(exchange)] { answering->reply(json_reply("1")); }}.join();
  CHECK(client.read()->body == "1");
  CHECK(client.ask(request_text("GET", "/hello")).status == 200);
}

TEST_CASE("an answer of many megabytes arrives whole") {
  fixture f;
  raw_client client{f.port};
  CHECK(client.ask(request_text("GET", "/large")).body.size() == 8 << 20);
}

}  // namespace
