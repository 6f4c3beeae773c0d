#pragma once

#include <vector>

#include "models/device.hpp"

namespace dim::models {

/// Every CUDA device that LibTorch can use, in its order; empty where there is none. Part of
/// `dim::models_torch`. Starting CUDA takes a second and memory: call it in a `dim-agent
/// --describe-devices` child and send `to_text` of the answer to the daemon.
std::vector<device_info> discover_cuda();

}  // namespace dim::models
