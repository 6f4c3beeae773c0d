#include "actors/router/inference_counts.hpp"

#include <string>

namespace dim::actors {

namespace {

using runtime::error_code;

void count_batch(model_statistics& counts, const infer_result& result) {
  ++counts.execution_count;
  auto& size = counts.by_batch_size[result.batch_rows];
  size.input.add(result.times.input_ns);
  size.forward.add(result.times.forward_ns);
  size.output.add(result.times.output_ns);
  if (result.released != release_reason::none)
    ++counts.releases[std::string{to_string(result.released)}];
}

}  // namespace

std::string_view failure_reason(error_code code) noexcept {
  switch (code) {
    case error_code::overloaded:
    case error_code::expired:
    case error_code::unavailable:
      return "REJECTED";
    case error_code::cancelled:
      return "CANCELED";
    case error_code::agent_lost:
    case error_code::agent_timeout:
    case error_code::node_lost:
    case error_code::memory_limit:
    case error_code::bad_model:
    case error_code::timeout:
    case error_code::internal:
      return "BACKEND";
    default:
      return "OTHER";
  }
}

void count_end(model_statistics& counts, const counted_end& end, const infer_result& result) {
  if (result.first_of_batch)
    count_batch(counts, result);
  if (end.code != error_code::none) {
    counts.fail.add(end.total_ns);
    ++counts.failures[std::string{failure_reason(end.code)}];
    return;
  }
  counts.last_inference_ms = end.ended_at_ms;
  counts.inference_count += end.rows;
  counts.success.add(end.total_ns);
  counts.first_response.add(end.total_ns / 1'000);
  counts.queue.add(result.times.queue_ns);
  counts.input.add(result.times.input_ns);
  counts.forward.add(result.times.forward_ns);
  counts.output.add(result.times.output_ns);
}

}  // namespace dim::actors
