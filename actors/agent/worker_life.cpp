#include "actors/agent/worker_life.hpp"

#include <array>
#include <utility>

namespace dim::actors {

std::string_view to_string(worker_phase value) noexcept {
  static constexpr std::array<std::string_view, 6> names = {"absent", "starting", "loading",
                                                            "ready",  "ending",   "resting"};
  return names[static_cast<std::size_t>(value)];
}

worker_life::worker_life(const worker_limits& limits)
  : limits_(limits), deaths_(limits.restarts) {
}

std::optional<std::int64_t> worker_life::until_ms() const noexcept {
  if (phase_ == worker_phase::absent || phase_ == worker_phase::ready)
    return std::nullopt;
  return until_ms_;
}

void worker_life::begin(std::string token, std::int64_t now_ms) {
  token_ = std::move(token);
  phase_ = worker_phase::starting;
  until_ms_ = now_ms + limits_.start_timeout_ms;
}

bool worker_life::note_ready(const std::string& token, std::int64_t pid) {
  if (phase_ != worker_phase::starting || token != token_)
    return false;
  phase_ = worker_phase::loading;
  pid_ = pid;
  return true;
}

void worker_life::note_loaded() {
  phase_ = worker_phase::ready;
  has_loaded_ = true;
}

bool worker_life::end(std::int64_t now_ms) {
  if (phase_ != worker_phase::starting && phase_ != worker_phase::loading &&
      phase_ != worker_phase::ready)
    return false;
  phase_ = worker_phase::ending;
  until_ms_ = now_ms + limits_.start_timeout_ms;
  return true;
}

bool worker_life::note_ended(const std::string& token) {
  if (token != token_ || phase_ == worker_phase::absent || phase_ == worker_phase::resting)
    return false;
  phase_ = worker_phase::absent;
  pid_ = 0;
  return true;
}

bool worker_life::rest(std::int64_t now_ms, runtime::random_source& random) {
  auto& limits = limits_.restarts;
  phase_ = worker_phase::resting;
  refusing_ = !deaths_.note(now_ms);
  until_ms_ = now_ms + (refusing_ ? limits.window_ms
                                  : runtime::backoff_of(limits.backoff_ms, limits.backoff_max_ms,
                                                        ++failures_, random));
  return !refusing_;
}

void worker_life::wake() {
  phase_ = worker_phase::absent;
  if (std::exchange(refusing_, false))
    deaths_ = runtime::restart_window{limits_.restarts};
}

}  // namespace dim::actors
