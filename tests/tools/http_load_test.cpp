#include "tools/bench/http_load.hpp"

#include <thread>

#include <doctest/doctest.h>

#include "tests/tools/fake_gateway.hpp"

using namespace dim;
using namespace dim::tests;
using std::chrono::milliseconds;

namespace {

/// One connection, because the fake gateway serves one after the other.
tools::load_options one_connection(const fake_gateway& gateway, milliseconds duration) {
  tools::load_options options;
  options.port = gateway.port();
  options.connections = 1;
  options.duration = duration;
  return options;
}

bool is_good(const tools::answer& x) {
  return x.status == 200;
}

/// Sends `count` requests and stops.
tools::request_source times(std::uint64_t count) {
  return [count](std::uint64_t number, const tools::answer&) -> tools::request_text {
    return number < count ? tools::make_request("GET", "/") : "";
  };
}

}  // namespace

TEST_CASE("a closed loop sends the next request when the answer is here, and counts each") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{.body = "12345"}; }};
  auto load = tools::run_load(one_connection(gateway, std::chrono::minutes{1}), times(50), is_good);
  CHECK(load.answered == 50);
  CHECK(load.errors == 0);
  CHECK(load.answer_bytes == 250);
  CHECK(load.latencies.count() == 50);
  CHECK(load.quantile_us(0.5) > 0);
  CHECK(gateway.requests().size() == 50);
}

TEST_CASE("the source sees the answer before, and its requests come whole") {
  fake_gateway gateway{[](const seen_request& request, auto) {
    return scripted_answer{.body = request.target + request.body};
  }};
  std::string seen;
  auto source = [&](std::uint64_t number, const tools::answer& before) -> tools::request_text {
    seen += before.body + ",";
    return number < 3 ? tools::make_request("POST", "/" + std::to_string(number), "body") : "";
  };
  tools::run_load(one_connection(gateway, std::chrono::minutes{1}), source, is_good);
  CHECK(seen == ",/0body,/1body,/2body,");
}

TEST_CASE("answers that do not count are errors, and the first is told") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    return before < 2 ? scripted_answer{.status = 503, .body = "full"} : scripted_answer{};
  }};
  auto load = tools::run_load(one_connection(gateway, std::chrono::minutes{1}), times(5), is_good);
  CHECK(load.answered == 3);
  CHECK(load.errors == 2);
  CHECK(load.first_error == "status 503: full");
}

TEST_CASE("a connection that is lost is an error, and is opened again") {
  fake_gateway gateway{[](auto&, std::size_t before) {
    return before == 1 ? scripted_answer::closed() : scripted_answer{};
  }};
  auto load = tools::run_load(one_connection(gateway, std::chrono::minutes{1}), times(4), is_good);
  CHECK(load.answered == 3);
  CHECK(load.errors == 1);
}

TEST_CASE("a request without an answer ends in time") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer::silent(); }};
  auto options = one_connection(gateway, milliseconds{1});
  options.reply_timeout = milliseconds{50};
  auto load = tools::run_load(options, times(1), is_good);
  CHECK(load.answered == 0);
  CHECK(load.errors == 1);
  CHECK(load.first_error == "no answer in time");
}

TEST_CASE("at a rate, a request that had to wait for its connection counts that wait") {
  // Ten are due in the first 10 ms; each takes 20 ms, one after the other.
  fake_gateway gateway{[](auto&, auto) {
    std::this_thread::sleep_for(milliseconds{20});
    return scripted_answer{};
  }};
  auto options = one_connection(gateway, std::chrono::minutes{1});
  options.rate = 1'000;
  auto load = tools::run_load(options, times(10), is_good);
  CHECK(load.answered == 10);
  CHECK(load.quantile_us(1) > 150'000);
  CHECK(load.quantile_us(0.5) > 80'000);
}

TEST_CASE("a rate that is kept is the rate that is told, however few requests are due") {
  struct run {
    double rate;
    milliseconds warm_up;
    milliseconds duration;
    std::uint64_t answered;
  };
  for (const auto& [rate, warm_up, duration, answered] :
       {run{20, milliseconds{0}, milliseconds{300}, 6},
        run{0.5, milliseconds{0}, milliseconds{50}, 1},
        run{10, milliseconds{150}, milliseconds{200}, 2}}) {
    fake_gateway gateway{[](auto&, auto) { return scripted_answer{}; }};
    auto options = one_connection(gateway, duration);
    options.rate = rate;
    options.warm_up = warm_up;
    const auto begin = std::chrono::steady_clock::now();
    auto load = tools::run_load(options, times(1'000), is_good);
    CHECK(std::chrono::steady_clock::now() - begin >= warm_up + duration);
    CHECK(load.answered == answered);
    CHECK(load.per_second() == doctest::Approx(rate));
  }
}

TEST_CASE("answers of the warm-up are not counted") {
  fake_gateway gateway{[](auto&, auto) { return scripted_answer{}; }};
  auto options = one_connection(gateway, std::chrono::minutes{1});
  options.warm_up = std::chrono::minutes{1};
  auto load = tools::run_load(options, times(20), is_good);
  CHECK(load.answered == 0);
  CHECK(load.errors == 0);
  CHECK(gateway.requests().size() == 20);
}

TEST_CASE("where nobody listens, there are errors and no answers") {
  tools::load_options options;
  options.port = 1;
  options.connections = 2;
  options.duration = milliseconds{20};
  auto load = tools::run_load(options, times(9), is_good);
  CHECK(load.answered == 0);
  CHECK(load.errors == 2);
  CHECK(tools::ask_once("127.0.0.1", 1, "x").status == 0);
}
