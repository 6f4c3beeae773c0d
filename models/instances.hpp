#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "models/model_spec.hpp"

/// Which devices run a model, and with how many workers. Pure.
namespace dim::models {

/// Workers on one device of a node: on the GPU of this number, or, where there is none, on a set of
/// cores. 0: the model does not run there. `some_gpu`: the node has GPUs, to which groups of
/// `automatic` kind belong then. No groups are one worker of that kind.
std::uint32_t instances_on(const std::vector<instance_group>& groups,
                           std::optional<std::uint32_t> gpu, bool some_gpu);

/// Workers on the GPU that has most of them.
std::uint32_t most_instances_on_gpu(const std::vector<instance_group>& groups);

/// Workers on the device that has most of them, whatever the node has.
std::uint32_t most_instances(const std::vector<instance_group>& groups);

}  // namespace dim::models
