#pragma once

#include <cstdint>
#include <optional>

#include "actors/router/messages.hpp"
#include "gateway/json_writer.hpp"

namespace dim::gateway {

/// Direct inference in a few numbers, for the totals of the cluster.
struct inference_totals {
  /// Answered ones and failed ones, since the orchestrator was started.
  std::uint64_t successful = 0;
  std::uint64_t failed = 0;
  std::uint64_t pending = 0;
  /// Rows and forwards, without cached answers.
  std::uint64_t rows = 0;
  std::uint64_t forwards = 0;
  /// From end to end, in microseconds, of the newest answered ones; nothing while there are none.
  std::optional<std::uint64_t> p50_us;
  std::optional<std::uint64_t> p95_us;
};

inference_totals sum_inferences(const actors::model_statistics_list& models,
                                const actors::inference_record_list& newest);

/// The member "inference" of the totals; null when ROUTER has not answered.
void write_inference_totals(json_writer& out, const std::optional<inference_totals>& totals);

}  // namespace dim::gateway
