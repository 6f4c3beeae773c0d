#pragma once

#include <cstdint>
#include <string_view>

#include "actors/router/messages.hpp"

/// What the statistics extension shows of one version of a model, counted. Pure.
namespace dim::actors {

/// How one request ended, as far as it is counted.
struct counted_end {
  runtime::error_code code = runtime::error_code::none;
  std::uint64_t rows = 1;
  std::uint64_t total_ns = 0;
  std::int64_t ended_at_ms = 0;
};

/// "REJECTED", "CANCELED", "BACKEND" or "OTHER": why a request failed, in the words of the metrics.
std::string_view failure_reason(runtime::error_code code) noexcept;

/// Counts a request that a node has answered, or that failed before (then `result` is empty).
void count_end(model_statistics& counts, const counted_end& end, const infer_result& result);

}  // namespace dim::actors
