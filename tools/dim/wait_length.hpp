#pragma once

#include <cstdint>

#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// How long one request asks the gateway to wait. The longest wait that a gateway takes is an
/// option of its own (`[gateway] wait_ms_max`): one that it refuses is halved, at last to none.
class wait_length {
public:
  explicit wait_length(std::uint32_t ms) noexcept : ms_(ms) {
  }

  std::uint32_t ms() const noexcept {
    return ms_;
  }

  /// Whether a request failed because of its wait. The wait is shorter then: send it again.
  bool is_shortened_by(const command_failure& why);

private:
  std::uint32_t ms_;
};

}  // namespace dim::tools
