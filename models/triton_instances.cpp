#include "models/triton_instances.hpp"

#include <algorithm>
#include <map>

#include "models/triton_config.pb.h"

namespace dim::models {

namespace {

using group_message = triton::ModelInstanceGroup;

instance_kind kind_of(const group_message& group) {
  if (group.kind() == group_message::KIND_GPU)
    return instance_kind::gpu;
  return group.kind() == group_message::KIND_CPU ? instance_kind::cpu : instance_kind::automatic;
}

/// One worker where the group does not say, as in Triton.
std::uint32_t count_of(const group_message& group) {
  return static_cast<std::uint32_t>(std::max(group.count(), 1));
}

/// Adds up the groups; `path` is that of the one that is looked at.
class group_sum {
public:
  explicit group_sum(std::vector<std::string>& problems) : problems_(problems) {
  }

  void add(const group_message& group, const std::string& path) {
    if (path_.empty()) {
      sum_.kind = kind_of(group);
      kind_name_ = group_message::Kind_Name(group.kind());
      names_gpus_ = !group.gpus().empty();
    }
    path_ = path;
    if (kind_of(group) != sum_.kind)
      refuse("kind: expected " + kind_name_
             + " as in the first group, for groups of several kinds can not be served, got "
             + group_message::Kind_Name(group.kind()));
    else if (!group.gpus().empty() != names_gpus_)
      refuse(names_gpus_ ? "gpus: expected some, for the first group names its GPUs"
                         : "gpus: expected none, for the first group names no GPUs");
    else if (names_gpus_ && sum_.kind == instance_kind::cpu)
      refuse("gpus: expected none, for the group is of KIND_CPU");
    every_ += count_of(group);
    for (const std::int32_t gpu : group.gpus())
      if (gpu < 0)
        refuse("gpus: expected whole numbers from 0 up, got " + std::to_string(gpu));
      else
        note_gpu(static_cast<std::uint32_t>(gpu), count_of(group));
  }

  instance_group finish() {
    const gpu_sum all{every_, path_};
    const gpu_sum& first = by_gpu_.empty() ? all : by_gpu_.begin()->second;
    for (const auto& [gpu, sum] : by_gpu_) {
      sum_.gpus.push_back(gpu);
      path_ = sum.path;
      if (sum.count != first.count)
        refuse("count: expected as many instances on GPU " + std::to_string(gpu) + " as on GPU "
               + std::to_string(by_gpu_.begin()->first) + ", " + std::to_string(first.count)
               + ", got " + std::to_string(sum.count));
    }
    path_ = first.path;
    if (first.count > instances_max)
      refuse("count: expected at most " + std::to_string(instances_max)
             + " instances in all groups together, got " + std::to_string(first.count));
    sum_.count = static_cast<std::uint32_t>(std::min<std::uint64_t>(first.count, instances_max));
    return sum_;
  }

private:
  /// Workers on one GPU.
  struct gpu_sum {
    std::uint64_t count = 0;
    /// Of the last group that names it.
    std::string path;
  };

  void note_gpu(std::uint32_t gpu, std::uint32_t count) {
    gpu_sum& sum = by_gpu_[gpu];
    sum.count += count;
    sum.path = path_;
  }

  void refuse(const std::string& words) {
    problems_.push_back(path_ + "." + words);
  }

  std::vector<std::string>& problems_;
  std::string path_;
  instance_group sum_;
  /// What the first group says.
  std::string kind_name_;
  bool names_gpus_ = false;
  /// Workers of all groups.
  std::uint64_t every_ = 0;
  std::map<std::uint32_t, gpu_sum> by_gpu_;
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
