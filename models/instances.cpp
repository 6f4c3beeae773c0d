#include "models/instances.hpp"

#include <algorithm>
#include <set>
#include <span>

namespace dim::models {

namespace {

bool is_among(const std::vector<std::uint32_t>& gpus, std::uint32_t gpu) {
  return gpus.empty() || std::find(gpus.begin(), gpus.end(), gpu) != gpus.end();
}

}  // namespace

std::uint32_t instances_on(const std::vector<instance_group>& groups,
                           std::optional<std::uint32_t> gpu, bool some_gpu) {
  static const instance_group usual;
  const std::span<const instance_group> all =
    groups.empty() ? std::span{&usual, 1} : std::span<const instance_group>{groups};
  std::uint32_t count = 0;
  for (const instance_group& each : all) {
    const bool wants_gpu = each.kind == instance_kind::gpu
                           || (each.kind == instance_kind::automatic && some_gpu);
    if (gpu ? wants_gpu && is_among(each.gpus, *gpu) : !wants_gpu)
      count += each.count;
  }
  return count;
}

std::uint32_t most_instances_on_gpu(const std::vector<instance_group>& groups) {
  std::set<std::uint32_t> gpus;
  for (const instance_group& each : groups)
    gpus.insert(each.gpus.begin(), each.gpus.end());
  // One that no group names.
  std::uint32_t other = 0;
  while (gpus.contains(other))
    ++other;
  gpus.insert(other);
  std::uint32_t most = 0;
  for (const std::uint32_t gpu : gpus)
    most = std::max(most, instances_on(groups, gpu, true));
  return most;
}

std::uint32_t most_instances(const std::vector<instance_group>& groups) {
  // Where there are no GPUs, the groups that may run anywhere are on the cores as well.
  return std::max(most_instances_on_gpu(groups), instances_on(groups, std::nullopt, false));
}

}  // namespace dim::models
