#include "tools/dim/bench_report.hpp"

#include <array>
#include <cstdio>

#include "tools/dim/display_text.hpp"
#include "tools/dim/table.hpp"

namespace dim::tools {

namespace {

struct named_share {
  const char* name;
  double share;
};

constexpr std::array<named_share, 6> shares{{{"p50", 0.5},
                                             {"p90", 0.9},
                                             {"p95", 0.95},
                                             {"p99", 0.99},
                                             {"p99.9", 0.999},
                                             {"max", 1}}};

/// A rate that falls short of the wish by more than this share was not kept.
constexpr double kept_share = 0.95;

double rounded(double value) {
  return static_cast<double>(static_cast<std::int64_t>(value * 10 + 0.5)) / 10;
}

std::string fixed(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

/// "500", "0.5".
std::string shortest(double value) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

/// "83 us", "1.25 ms", "2.1 s".
std::string latency_text(double microseconds) {
  if (microseconds < 1'000)
    return fixed(microseconds, 0) + " us";
  if (microseconds < 1'000'000)
    return fixed(microseconds / 1'000, 2) + " ms";
  return fixed(microseconds / 1'000'000, 2) + " s";
}

bool is_behind(const bench_outcome& run) {
  return run.rate > 0 && run.load.per_second() < kept_share * run.rate;
}

}  // namespace

std::string bench_title(const bench_outcome& run) {
  return run.model + ": " + std::to_string(run.connections) + " connections, "
         + (run.rate > 0 ? shortest(run.rate) + " requests a second" : "closed loop") + ", "
         + (run.is_binary ? "binary" : "JSON") + ", " + std::to_string(run.rows) + " rows and "
         + size_text(run.request_bytes) + " a request";
}

json bench_json(const bench_outcome& run) {
  const auto& load = run.load;
  json result{{"model", run.model},
              {"connections", run.connections},
              {"mode", run.rate > 0 ? "rate" : "closed"},
              {"encoding", run.is_binary ? "binary" : "json"},
              {"rows_per_request", run.rows},
              {"request_bytes", run.request_bytes},
              {"answered", load.answered},
              {"errors", load.errors},
              {"seconds", load.seconds},
              {"requests_per_s", rounded(load.per_second())},
              {"rows_per_s", rounded(load.per_second() * static_cast<double>(run.rows))},
              {"answer_bytes", load.answer_bytes}};
  if (run.rate > 0) {
    result["rate"] = run.rate;
    result["rate_kept"] = !is_behind(run);
  }
  if (!load.first_error.empty())
    result["first_error"] = load.first_error;
  auto& latency = result["latency_us"];
  latency["min"] = rounded(load.quantile_us(0));
  latency["mean"] = rounded(load.latencies.mean_ns() / 1'000);
  for (auto& [name, share] : shares)
    latency[name] = rounded(load.quantile_us(share));
  auto& histogram = result["histogram_ns"];
  histogram = json::array();
  for (auto& bucket : load.latencies.buckets())
    histogram.push_back({{"from", bucket.from_ns}, {"to", bucket.to_ns}, {"count", bucket.count}});
  return result;
}

void print_bench(console& io, const bench_outcome& run) {
  const auto& load = run.load;
  io.out << bench_title(run) << '\n';
  table totals{{{"ANSWERED", false, true},
                {"ERRORS", false, true},
                {"SECONDS", false, true},
                {"REQUESTS/S", false, true},
                {"ROWS/S", false, true},
                {"SENT/S", false, true}}};
  auto sent = load.per_second() * static_cast<double>(run.request_bytes);
  totals.add({std::to_string(load.answered),
              {std::to_string(load.errors), load.errors > 0 ? colour::red : colour::none},
              fixed(load.seconds, 2), fixed(load.per_second(), 1),
              fixed(load.per_second() * static_cast<double>(run.rows), 1),
              size_text(static_cast<std::uint64_t>(sent))});
  totals.print(io);
  std::vector<table::column> columns{{"MIN", false, true}, {"MEAN", false, true}};
  std::vector<table::cell> row{latency_text(load.quantile_us(0)),
                               latency_text(load.latencies.mean_ns() / 1'000)};
  for (auto& [name, share] : shares) {
    columns.push_back({name, false, true});
    row.emplace_back(latency_text(load.quantile_us(share)));
  }
  table latencies{std::move(columns)};
  latencies.add(std::move(row));
  latencies.print(io);
  if (is_behind(run))
    io.out << "The rate was not kept: latencies hold the wait of requests that were due.\n";
  if (!load.first_error.empty())
    io.out << "First error: " << cleaned(load.first_error) << '\n';
}

}  // namespace dim::tools
