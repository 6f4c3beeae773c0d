#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// A signal, and how long after the one before it is sent.
struct later_signal {
  std::chrono::milliseconds pause{0};
  int number = 0;
};

/// Sends the signals one after the other from a process of its own, which ends with the last one,
/// or with the target. The target may be the calling process, which can so be frozen and woken
/// again; a later process with the same number is never hit. Does not wait. Errors: not_found (no
/// such process), internal.
expected<void> signal_later(std::int64_t pid, const std::vector<later_signal>& signals);

}  // namespace dim::runtime
