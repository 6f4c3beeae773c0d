#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/node/messages.hpp"
#include "actors/store/model_messages.hpp"

/// Results that the orchestrator has not acknowledged yet. Pure: time comes in as a number.
namespace dim::actors {

/// Keeps each result until it is acknowledged or nobody can want it any more, hands out again those
/// that were sent long ago, and serves the bytes of large outputs.
///
/// It is full at `entries_max` results or `bytes_max` bytes of large outputs; results of work that
/// was accepted before are kept even so, and NODE takes no new work.
class outbox {
public:
  outbox(std::size_t entries_max, std::uint64_t bytes_max)
    : entries_max_(entries_max), bytes_max_(bytes_max) {
  }

  /// Keeps `finished` until `until_ms`, and returns the message to be sent: outputs larger than
  /// `inline_data_max` are detached there. An older epoch of the same execution is forgotten.
  const execution_finished& keep(execution_finished finished, std::int64_t now_ms,
                                 std::int64_t until_ms);

  /// Forgets the result. Unknown ids and epochs are ignored.
  void acknowledge(const std::string& execution_id, std::uint32_t epoch);

  /// The result of this execution and epoch, or nullptr.
  const execution_finished* find(const std::string& execution_id, std::uint32_t epoch) const;

  /// Forgets what is past its time, and returns what was last sent `resend_ms` ago or earlier (0:
  /// everything), now counting as sent: at most `results_max`, so that a peer that has stalled is
  /// not sent everything again and again. It may ask for any of the others itself.
  std::vector<execution_finished> take_due(std::int64_t now_ms, std::int64_t resend_ms,
                                           std::size_t results_max);

  /// Calls `visit` with each result, in the order of their ids, until it returns false.
  void each(const std::function<bool(const execution_finished&)>& visit) const;

  /// Bytes of a large output. Errors: not_found, bad_input (range).
  runtime::expected<chunk> read(const fetch_chunk& wanted) const;

  bool is_full() const noexcept {
    return entries_.size() >= entries_max_ || bytes_ >= bytes_max_;
  }
  std::size_t size() const noexcept {
    return entries_.size();
  }
  /// Bytes of large outputs that are kept.
  std::uint64_t bytes() const noexcept {
    return bytes_;
  }

private:
  struct entry {
    execution_finished message;
    std::int64_t sent_at_ms = 0;
    std::int64_t until_ms = 0;
  };
  struct large_output {
    runtime::bytes data;
    std::uint32_t users = 0;
  };
  using entry_map = std::map<std::string, entry>;

  entry_map::iterator erase(entry_map::iterator position);

  std::size_t entries_max_;
  std::uint64_t bytes_max_;
  entry_map entries_;                         // by execution id
  std::map<std::string, large_output> large_;  // by digest
  std::uint64_t bytes_ = 0;
};

}  // namespace dim::actors
