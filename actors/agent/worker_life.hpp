#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "runtime/random_source.hpp"
#include "runtime/restart_policy.hpp"

/// The life of one worker of an AGENT. Pure: no actor, and time comes in as a number.
namespace dim::actors {

enum class worker_phase : std::uint8_t { absent, starting, loading, ready, ending, resting };
std::string_view to_string(worker_phase value) noexcept;

struct worker_limits {
  /// Longest time for starting and loading together, and for ending.
  std::uint32_t start_timeout_ms = 0;
  /// How often the worker may die in a time, and its back-off.
  runtime::restart_limits restarts;
};

///   absent --begin--> starting --note_ready--> loading --note_loaded--> ready
///      ^                  |                       |                       |
///      |                  +-----------------------+------ end ------------+---> ending
///      |
///      +---- note_ended, from each of the four that have a worker
///      +---- wake ---- resting <---- rest ---- absent
///
/// Each start has a token of its own: news of an older one are known by it. A worker that died more
/// often than it may *refuses*: it rests for a whole window, and then begins anew.
class worker_life {
public:
  explicit worker_life(const worker_limits& limits);

  worker_phase phase() const noexcept {
    return phase_;
  }
  /// Of the newest start.
  const std::string& token() const noexcept {
    return token_;
  }
  /// 0 for a worker that is not a process, or not there.
  std::int64_t pid() const noexcept {
    return pid_;
  }
  bool is_refusing() const noexcept {
    return refusing_;
  }
  /// Some worker of this life has loaded the model: its file and its size are no obstacle.
  bool has_loaded() const noexcept {
    return has_loaded_;
  }
  /// When the phase must be over; nothing while it may last.
  std::optional<std::int64_t> until_ms() const noexcept;

  /// A worker is started under this token.
  void begin(std::string token, std::int64_t now_ms);
  /// It is up, and loads. False for news of another start.
  bool note_ready(const std::string& token, std::int64_t pid);
  void note_loaded();
  /// It has answered as it should: the next death is the first.
  void note_success() noexcept {
    failures_ = 0;
  }
  /// It is to end. False where there is none, or its end is on its way.
  bool end(std::int64_t now_ms);
  /// It is gone. False for news of another start.
  bool note_ended(const std::string& token);
  /// It did not end on purpose: a pause before the next start. False when it refuses from now on.
  bool rest(std::int64_t now_ms, runtime::random_source& random);
  /// The pause is over.
  void wake();

private:
  worker_limits limits_;
  runtime::restart_window deaths_;
  worker_phase phase_ = worker_phase::absent;
  std::string token_;
  std::int64_t pid_ = 0;
  std::int64_t until_ms_ = 0;
  std::uint32_t failures_ = 0;
  bool refusing_ = false;
  bool has_loaded_ = false;
};

}  // namespace dim::actors
