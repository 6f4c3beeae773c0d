#include "models/triton_instances.hpp"

#include <algorithm>
#include <map>

#include "models/triton_config.pb.h"

namespace dim::models {

namespace {

using group_message = triton::ModelInstanceGroup;

/// A group may not have more workers than this; the sum of all is checked with the rest.
constexpr std::int32_t count_max = 1'000'000;

instance_kind kind_of(const group_message& group) {
  if (group.kind() == group_message::KIND_GPU)
    return instance_kind::gpu;
  return group.kind() == group_message::KIND_CPU ? instance_kind::cpu : instance_kind::automatic;
}

std::uint32_t count_of(const group_message& group) {
  return static_cast<std::uint32_t>(std::clamp(group.count(), 1, count_max));
}

/// Adds up the groups; `path` is that of the one that is looked at.
class group_sum {
public:
  explicit group_sum(std::vector<std::string>& problems) : problems_(problems) {
  }

  void add(const group_message& group, const std::string& path) {
    if (path_.empty()) {
      sum_.kind = kind_of(group);
      names_gpus_ = !group.gpus().empty();
    }
    path_ = path;
    if (kind_of(group) != sum_.kind)
      refuse("kind: expected that of the first group: groups of several kinds can not be served");
    else if (!group.gpus().empty() != names_gpus_)
      refuse("gpus: expected GPUs in all groups or in none");
    else if (names_gpus_ && sum_.kind == instance_kind::cpu)
      refuse("gpus: expected none, for the group is of KIND_CPU");
    every_ += count_of(group);
    for (const std::int32_t gpu : group.gpus())
      if (gpu < 0)
        refuse("gpus: expected whole numbers from 0 up, got " + std::to_string(gpu));
      else
        by_gpu_[static_cast<std::uint32_t>(gpu)] += count_of(group);
  }

  instance_group finish() {
    sum_.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(every_, count_max));
    for (const auto& [gpu, count] : by_gpu_) {
      sum_.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(count, count_max));
      sum_.gpus.push_back(gpu);
      if (count != by_gpu_.begin()->second)
        refuse("count: expected as many instances on GPU " + std::to_string(gpu) + " as on GPU "
               + std::to_string(by_gpu_.begin()->first) + ", "
               + std::to_string(by_gpu_.begin()->second) + ", got " + std::to_string(count));
    }
    return sum_;
  }

private:
  void refuse(const std::string& words) {
    problems_.push_back(path_ + "." + words);
  }

  std::vector<std::string>& problems_;
  std::string path_;
  instance_group sum_;
  bool names_gpus_ = false;
  /// Workers of all groups.
  std::uint64_t every_ = 0;
  std::map<std::uint32_t, std::uint64_t> by_gpu_;
};

}  // namespace

void read_instances(const triton::ModelConfig& message, instance_group& instances,
                    std::vector<std::string>& problems) {
  if (message.instance_group().empty())
    return;
  group_sum sum(problems);
  for (int index = 0; index < message.instance_group_size(); ++index)
    sum.add(message.instance_group(index), "instance_group[" + std::to_string(index) + "]");
  instances = sum.finish();
}

void write_instances(const std::string& model, const instance_group& instances,
                     triton::ModelConfig& message) {
  group_message& group = *message.add_instance_group();
  group.set_name(model);
  group.set_count(static_cast<std::int32_t>(instances.count));
  for (const std::uint32_t gpu : instances.gpus)
    group.add_gpus(static_cast<std::int32_t>(gpu));
  group.set_kind(instances.kind == instance_kind::gpu   ? group_message::KIND_GPU
                 : instances.kind == instance_kind::cpu ? group_message::KIND_CPU
                                                        : group_message::KIND_AUTO);
}

}  // namespace dim::models
