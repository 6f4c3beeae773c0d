#pragma once

#include <string>
#include <vector>

#include "models/model_spec.hpp"

/// Triton's instance groups. Included by sources only.
namespace dim::models {

namespace triton {
class ModelConfig;
}

/// Reads the groups of a configuration as one that comes to the same: in each group, `count` is of
/// workers on every GPU that it names, so groups of one kind add up GPU by GPU. Groups that come to
/// nothing that one could say (of several kinds, or with more workers on one GPU than on another)
/// are problems, which name the field. No groups leave `instances` as it is.
void read_instances(const triton::ModelConfig& message, instance_group& instances,
                    std::vector<std::string>& problems);

void write_instances(const std::string& model, const instance_group& instances,
                     triton::ModelConfig& message);

}  // namespace dim::models
