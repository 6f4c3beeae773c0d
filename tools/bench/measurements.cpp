#include "tools/bench/measurements.hpp"

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>

#include <nlohmann/json.hpp>

#include "tools/bench/bare_loop.hpp"
#include "tools/bench/http_load.hpp"

namespace dim::tools {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

constexpr std::uint32_t submit_connections = 32;
constexpr int rounds = 3;
constexpr double sustained_rate = 500;

/// A job without its pattern and models.
json bare_job() {
  json pixels = json::array();
  for (int index = 0; index < 64; ++index)
    pixels.push_back((index * 37 % 101) / 100.0);
  return {
    {"name", "bench"},
    {"inputs",
     json::array({{{"name", "x"}, {"datatype", "FP32"}, {"shape", {1, 64}}, {"data", pixels}}})}};
}

std::string request_of(const json& job) {
  return make_request("POST", "/api/v1/jobs", job.dump());
}

std::string submit_request(const bench_target& target) {
  auto job = bare_job();
  job["pattern"] = "single";
  job["model"] = target.model;
  return request_of(job);
}

std::string replicated_request(const bench_target& target) {
  auto job = bare_job();
  job["pattern"] = "replicated";
  job["model"] = target.model;
  return request_of(job);
}

std::string comparative_request(const bench_target& target) {
  auto job = bare_job();
  job["pattern"] = "comparative";
  job["models"] = {target.model, "digits-linear"};
  // The pixels are no digit: the two need not agree.
  job["vote"] = {{"tie", "abstain"}};
  return request_of(job);
}

std::string chained_request(const bench_target& target) {
  auto job = bare_job();
  job["pattern"] = "chained";
  job["steps"] = json::array({{{"model", "standardize"}}, {{"model", target.model}}});
  return request_of(job);
}

load_options options_of(const bench_target& target, std::uint32_t connections) {
  load_options result;
  result.host = target.host;
  result.port = target.port;
  result.connections = connections;
  result.duration = std::chrono::seconds{target.seconds};
  return result;
}

bool is_accepted(const answer& x) {
  return x.status == 202;
}

void pause(const bench_target& target, bool paused) {
  ask_once(target.host, target.port,
           make_request("POST", "/api/v1/placement", json{{"paused", paused}}.dump()));
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[values.size() / 2];
}

json latencies_of(const load_result& x) {
  return {{"p50_ms", x.quantile_us(0.5) / 1000},
          {"p90_ms", x.quantile_us(0.9) / 1000},
          {"p99_ms", x.quantile_us(0.99) / 1000},
          {"max_ms", x.quantile_us(1) / 1000}};
}

std::string id_in(const answer& x) {
  auto parsed = json::parse(x.body, nullptr, false);
  return parsed.is_object() ? parsed.value("id", std::string{}) : std::string{};
}

std::uint64_t completed_jobs(const bench_target& target) {
  auto stats = ask_once(target.host, target.port, make_request("GET", "/stats"));
  auto parsed = json::parse(stats.body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("jobs"))
    return 0;
  return parsed["jobs"].value("completed", std::uint64_t{0});
}

}  // namespace

json measure_submissions(const bench_target& target) {
  std::vector<double> served, bare;
  json latencies;
  std::uint64_t errors = 0;
  pause(target, true);
  auto request = submit_request(target);
  auto source = [&](std::uint64_t, const answer&) { return request; };
  std::string problem;
  for (int round = 0; round < rounds; ++round) {
    auto load = run_load(options_of(target, submit_connections), source, is_accepted);
    served.push_back(load.per_second());
    errors += load.errors;
    latencies = latencies_of(load);
    auto floor = bare_submissions_per_second(target.scratch, milliseconds{target.seconds * 1000});
    if (!floor)
      problem = floor.error().message;
    bare.push_back(floor.value_or(0));
  }
  pause(target, false);
  return {{"submissions_per_s", median(served)},
          {"bare_loop_per_s", median(bare)},
          {"ratio", median(bare) > 0 ? median(served) / median(bare) : 0},
          {"goal_ratio", 0.3},
          {"connections", submit_connections},
          {"latency", latencies},
          {"errors", errors},
          {"problem", problem}};
}

json measure_latency(const bench_target& target) {
  auto request = submit_request(target);
  auto last_post = std::chrono::steady_clock::now();
  std::vector<double> totals;
  std::uint64_t failed = 0;
  auto source = [&](std::uint64_t, const answer& before) -> std::string {
    if (before.status == 202)
      return make_request("GET", "/api/v1/jobs/" + id_in(before) + "?wait_ms=10000");
    last_post = std::chrono::steady_clock::now();
    return request;
  };
  auto is_good = [&](const answer& x) {
    if (x.status != 200)
      return x.status == 202;
    auto took = std::chrono::steady_clock::now() - last_post;
    totals.push_back(std::chrono::duration<double, std::milli>(took).count());
    auto done = x.body.find("\"completed\"") != std::string::npos;
    failed += !done;
    return done;
  };
  auto load = run_load(options_of(target, 1), source, is_good);
  std::sort(totals.begin(), totals.end());
  auto at = [&](double share) {
    return totals.empty() ? 0 : totals[std::size_t(share * double(totals.size() - 1))];
  };
  return {{"jobs", totals.size()}, {"p50_ms", at(0.5)}, {"p90_ms", at(0.9)},
          {"p99_ms", at(0.99)},    {"goal_p50_ms", 10}, {"failed", failed},
          {"errors", load.errors}};
}

json measure_sustained(const bench_target& target) {
  auto before = completed_jobs(target);
  auto request = submit_request(target);
  auto options = options_of(target, submit_connections);
  options.rate = sustained_rate;
  auto load = run_load(
    options, [&](std::uint64_t, const answer&) { return request; }, is_accepted);
  auto begin = std::chrono::steady_clock::now();
  auto wanted = before + load.answered;
  auto done = completed_jobs(target);
  while (done < wanted && std::chrono::steady_clock::now() - begin < std::chrono::seconds{60}) {
    std::this_thread::sleep_for(milliseconds{20});
    done = completed_jobs(target);
  }
  auto drained = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  return {{"accepted", load.answered},
          {"accepted_per_s", load.per_second()},
          {"completed", done - before},
          {"completed_per_s", double(done - before) / (load.seconds + drained)},
          {"drained_after_s", drained},
          {"goal_per_s", sustained_rate},
          {"submit_latency", latencies_of(load)},
          {"errors", load.errors}};
}

json measure_load(const bench_target& target, double rate) {
  std::vector<std::string> requests(20, submit_request(target));
  requests[4] = replicated_request(target);
  requests[9] = comparative_request(target);
  requests[14] = chained_request(target);
  auto options = options_of(target, submit_connections);
  options.rate = rate;
  auto load = run_load(
    options,
    [&](std::uint64_t number, const answer&) { return requests[number % requests.size()]; },
    is_accepted);
  return {{"accepted", load.answered},
          {"accepted_per_s", load.per_second()},
          {"submit_latency", latencies_of(load)},
          {"errors", load.errors}};
}

json measure_lists(const bench_target& target, std::uint64_t rss_at_start) {
  auto request = make_request("GET", "/api/v1/jobs?limit=50");
  auto load = run_load(
    options_of(target, 1), [&](std::uint64_t, const answer&) { return request; },
    [](const answer& x) { return x.status == 200; });
  auto grown = double(anonymous_bytes(target.pid)) - double(rss_at_start);
  return {{"requests", load.answered},
          {"stored_jobs", completed_jobs(target)},
          {"latency", latencies_of(load)},
          {"goal_p99_ms", 10},
          {"rss_anon_growth_mb", target.pid == 0 ? json(nullptr) : json(grown / 1e6)},
          {"goal_growth_mb", 60},
          {"errors", load.errors}};
}

std::uint64_t anonymous_bytes(std::int64_t pid) {
  std::ifstream status{"/proc/" + std::to_string(pid) + "/status"};
  for (std::string line; std::getline(status, line);) {
    if (!line.starts_with("RssAnon:"))
      continue;
    std::istringstream fields{line.substr(8)};
    std::uint64_t kilobytes = 0;
    fields >> kilobytes;
    return kilobytes * 1024;
  }
  return 0;
}

}  // namespace dim::tools
