#include "models/instances.hpp"

#include <algorithm>
#include <set>

namespace dim::models {

namespace {

bool is_among(const std::vector<std::uint32_t>& gpus, std::uint32_t gpu) {
  return gpus.empty() || std::find(gpus.begin(), gpus.end(), gpu) != gpus.end();
}

}  // namespace

std::uint32_t instances_on(const std::vector<instance_group>& groups,
                           std::optional<std::uint32_t> gpu, bool some_gpu) {
  if (groups.empty())
    return instances_on({instance_group{}}, gpu, some_gpu);
  std::uint32_t count = 0;
  for (const instance_group& each : groups) {
    const bool wants_gpu = each.kind == instance_kind::gpu
                           || (each.kind == instance_kind::automatic && some_gpu);
    if (gpu ? wants_gpu && is_among(each.gpus, *gpu) : !wants_gpu)
      count += each.count;
  }
  return count;
}

std::uint64_t most_instances(const std::vector<instance_group>& groups) {
  std::set<std::uint32_t> gpus;
  for (const instance_group& each : groups)
    gpus.insert(each.gpus.begin(), each.gpus.end());
  // One that no group names.
  std::uint32_t other = 0;
  while (gpus.contains(other))
    ++other;
  gpus.insert(other);
  std::uint64_t most = std::max({1u, instances_on(groups, std::nullopt, false),
                                 instances_on(groups, std::nullopt, true)});
  for (const std::uint32_t gpu : gpus)
    most = std::max<std::uint64_t>(most, instances_on(groups, gpu, true));
  return most;
}

}  // namespace dim::models
