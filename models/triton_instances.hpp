#pragma once

#include <string>
#include <vector>

#include "models/model_spec.hpp"

/// Triton's instance groups. Included by sources only.
namespace dim::models {

namespace triton {
class ModelConfig;
}

/// Reads the groups of a configuration, in which `count` is of workers on every device that the
/// group names, as here. Problems name the field.
std::vector<instance_group> read_instances(const triton::ModelConfig& message,
                                           std::vector<std::string>& problems);

void write_instances(const std::string& model, const std::vector<instance_group>& groups,
                     triton::ModelConfig& message);

}  // namespace dim::models
