#pragma once

#include <cstdint>
#include <vector>

#include "config/options.hpp"

namespace dim::gateway {

/// The cores that the threads of HTTP keep to, of those that this process may use (ascending).
/// None: they run anywhere. Pure.
///
/// Models get the lower cores first, see `models::choose_devices`, so HTTP gets the upper half (the
/// larger one) where this process has models. The scheduler of the system likes to put a thread
/// beside the one that wakes it, so that one core would do all the work.
std::vector<std::uint32_t> cores_for_http(const config::options& options,
                                          std::vector<std::uint32_t> usable);

}  // namespace dim::gateway
