#include "models/triton_instances.hpp"

#include <algorithm>

#include "models/triton_config.pb.h"

namespace dim::models {

namespace {

using group_message = triton::ModelInstanceGroup;

instance_kind kind_of(const group_message& group) {
  if (group.kind() == group_message::KIND_GPU)
    return instance_kind::gpu;
  return group.kind() == group_message::KIND_CPU ? instance_kind::cpu : instance_kind::automatic;
}

/// `path` is that of the group: "instance_group[1]".
instance_group read_group(const group_message& message, const std::string& path,
                          std::vector<std::string>& problems) {
  instance_group group;
  group.kind = kind_of(message);
  // One worker where the group does not say, as in Triton.
  const std::int32_t count = std::max(message.count(), 1);
  if (count > static_cast<std::int32_t>(instances_max))
    problems.push_back(path + ".count: expected at most " + std::to_string(instances_max)
                       + ", got " + std::to_string(count));
  else
    group.count = static_cast<std::uint32_t>(count);
  if (group.kind == instance_kind::cpu && !message.gpus().empty())
    problems.push_back(path + ".gpus: expected none, for the group is of KIND_CPU");
  for (const std::int32_t gpu : message.gpus())
    if (gpu < 0)
      problems.push_back(path + ".gpus: expected whole numbers from 0 up, got "
                         + std::to_string(gpu));
    else
      group.gpus.push_back(static_cast<std::uint32_t>(gpu));
  return group;
}

}  // namespace

std::vector<instance_group> read_instances(const triton::ModelConfig& message,
                                           std::vector<std::string>& problems) {
  std::vector<instance_group> groups;
  for (int index = 0; index < message.instance_group_size(); ++index)
    groups.push_back(read_group(message.instance_group(index),
                                "instance_group[" + std::to_string(index) + "]", problems));
  return groups;
}

void write_instances(const std::string& model, const std::vector<instance_group>& groups,
                     triton::ModelConfig& message) {
  for (std::size_t index = 0; index < groups.size(); ++index) {
    const instance_group& each = groups[index];
    group_message& group = *message.add_instance_group();
    group.set_name(model + "_" + std::to_string(index));
    group.set_count(static_cast<std::int32_t>(each.count));
    for (const std::uint32_t gpu : each.gpus)
      group.add_gpus(static_cast<std::int32_t>(gpu));
    group.set_kind(each.kind == instance_kind::gpu   ? group_message::KIND_GPU
                   : each.kind == instance_kind::cpu ? group_message::KIND_CPU
                                                     : group_message::KIND_AUTO);
  }
}

}  // namespace dim::models
