#pragma once

#include <cstdint>
#include <string_view>

/// The promises of the system, by name and in words.
namespace dim::scenario {

enum class promise : std::uint8_t {
  acknowledged_job_ends,
  terminal_state_is_final,
  completed_job_has_result,
  one_job_per_key,
  execution_counts_once,
  fenced_changes_nothing,
  retry_goes_elsewhere,
  consensus_of_different_nodes,
  reputation_is_replayed,
  lost_once_a_loss,
  event_numbers_have_no_gaps,
  limits_are_kept,
  baselines_are_restored,
  nodes_are_members,
};
constexpr promise last_value(promise) noexcept {
  return promise::nodes_are_members;
}

/// "acknowledged_job_ends", ...
std::string_view to_string(promise value) noexcept;

/// What it promises, in a sentence.
std::string_view sentence_of(promise value) noexcept;

}  // namespace dim::scenario
