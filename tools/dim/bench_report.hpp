#pragma once

#include <cstdint>
#include <string>

#include "tools/bench/http_load.hpp"
#include "tools/dim/console.hpp"
#include "tools/dim/json_fields.hpp"

namespace dim::tools {

/// One run of `dim bench`: what was sent, and what came of it.
struct bench_outcome {
  std::string model;
  std::uint32_t connections = 0;
  /// Requests a second that were wished; 0 for a closed loop.
  double rate = 0;
  bool is_binary = false;
  std::uint64_t rows = 1;
  std::uint64_t request_bytes = 0;
  load_result load;
};

/// "digits: 8 connections, 500 requests a second, JSON, 1 rows and 120 B a request".
std::string bench_title(const bench_outcome& run);

/// For programs: figures, quantiles in microseconds, and the histogram.
json bench_json(const bench_outcome& run);

/// For people.
void print_bench(console& io, const bench_outcome& run);

}  // namespace dim::tools
