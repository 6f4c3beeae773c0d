#pragma once

#include <string>

#include "config/options.hpp"

namespace dim::config {

/// All options with meaning, unit, default and bounds, as a TOML file that holds the values of `x`.
std::string print(const options& x);

}  // namespace dim::config
