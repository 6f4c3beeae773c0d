#pragma once

#include <string>

namespace dim::config {

/// One thing that is wrong with the configuration.
struct problem {
  /// "dimd.toml:3:8" (line and column from 1), "DIM_GATEWAY_PORT" or "--gateway.port".
  std::string where;
  /// What was expected, and what stands there instead.
  std::string what;

  bool operator==(const problem&) const = default;
};

}  // namespace dim::config
