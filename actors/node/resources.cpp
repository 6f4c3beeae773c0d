#include "actors/node/resources.hpp"

#include <algorithm>
#include <tuple>

namespace dim::actors {

namespace {

bool is_gpu(const device_facts& facts) {
  return facts.kind == "cuda";
}

}  // namespace

resource_ledger::resource_ledger(const node_facts& facts)
  : cores_(facts.cpu_cores), memory_bytes_(facts.memory_bytes) {
  for (auto& each : facts.devices) {
    device entry;
    entry.facts = each;
    devices_.push_back(std::move(entry));
  }
}

resource_ledger::amounts resource_ledger::amounts_of(const device_facts& facts,
                                                     const resource_need& need) {
  return {need.cores, need.memory_bytes, is_gpu(facts) ? need.gpu_bytes : 0};
}

resource_ledger::amounts resource_ledger::largest_of(const group& members) {
  amounts result;
  for (auto& [key, each] : members.members) {
    result.cores = std::max(result.cores, each.cores);
    result.memory_bytes = std::max(result.memory_bytes, each.memory_bytes);
    result.gpu_bytes = std::max(result.gpu_bytes, each.gpu_bytes);
  }
  return result;
}

std::string resource_ledger::refusal_of(const resource_need& need) const {
  if (need.cores > cores_)
    return "the node offers " + std::to_string(cores_) + " cores, " + std::to_string(need.cores) +
           " are required";
  if (need.memory_bytes > memory_bytes_)
    return "the node offers " + std::to_string(memory_bytes_) + " bytes of memory, " +
           std::to_string(need.memory_bytes) + " are required";
  auto fits = [&](const device& each) {
    if (each.facts.slots == 0 || (need.gpu && !is_gpu(each.facts)))
      return false;
    return amounts_of(each.facts, need).gpu_bytes <= each.facts.memory_bytes;
  };
  if (std::none_of(devices_.begin(), devices_.end(), fits))
    return need.gpu ? "no GPU of the node is large enough" : "no device of the node fits";
  return {};
}

bool resource_ledger::has_room(const device& target, const resource_need& need) const {
  if (need.gpu && !is_gpu(target.facts))
    return false;
  if (target.used_slots >= target.facts.slots)
    return false;
  amounts held;
  if (auto found = target.groups.find(need.model_key); found != target.groups.end())
    held = found->second.held;
  auto wanted = amounts_of(target.facts, need);
  auto grows_by = [](auto now, auto then) { return then > now ? then - now : 0; };
  return grows_by(held.cores, wanted.cores) <= free_cores() &&
         grows_by(held.memory_bytes, wanted.memory_bytes) <= free_memory_bytes() &&
         (wanted.gpu_bytes == 0 || grows_by(held.gpu_bytes, wanted.gpu_bytes) +
                                       target.used_gpu_bytes <=
                                     target.facts.memory_bytes);
}

void resource_ledger::hold(device& target, group& members, const amounts& wanted) {
  used_cores_ = used_cores_ - members.held.cores + wanted.cores;
  used_memory_bytes_ = used_memory_bytes_ - members.held.memory_bytes + wanted.memory_bytes;
  target.used_gpu_bytes = target.used_gpu_bytes - members.held.gpu_bytes + wanted.gpu_bytes;
  members.held = wanted;
}

std::optional<std::string> resource_ledger::reserve(const std::string& key,
                                                    const resource_need& need) {
  auto best = devices_.end();
  auto rank = [&](const device& each) {
    auto served =
      each.agents.contains(need.model_key) || each.groups.contains(need.model_key);
    return std::tuple{served, each.facts.slots - each.used_slots};
  };
  for (auto each = devices_.begin(); each != devices_.end(); ++each)
    if (has_room(*each, need) && (best == devices_.end() || rank(*each) > rank(*best)))
      best = each;
  if (best == devices_.end())
    return std::nullopt;
  auto& members = best->groups[need.model_key];
  members.members.emplace(key, amounts_of(best->facts, need));
  hold(*best, members, largest_of(members));
  ++best->used_slots;
  holders_[key] = {static_cast<std::size_t>(best - devices_.begin()), need.model_key};
  return best->facts.name;
}

void resource_ledger::release(const std::string& key) {
  auto found = holders_.find(key);
  if (found == holders_.end())
    return;
  auto& target = devices_[found->second.device];
  auto entry = target.groups.find(found->second.model_key);
  entry->second.members.erase(key);
  hold(target, entry->second, largest_of(entry->second));
  if (entry->second.members.empty())
    target.groups.erase(entry);
  --target.used_slots;
  holders_.erase(found);
}

void resource_ledger::set_agents(const std::string& device_name,
                                 const std::vector<std::string>& model_keys) {
  for (auto& each : devices_)
    if (each.facts.name == device_name)
      each.agents = {model_keys.begin(), model_keys.end()};
}

bool resource_ledger::is_served(const std::string& model_key) const {
  return std::any_of(devices_.begin(), devices_.end(), [&](const device& each) {
    return each.agents.contains(model_key) || each.groups.contains(model_key);
  });
}

std::uint32_t resource_ledger::free_slots() const noexcept {
  std::uint32_t result = 0;
  for (auto& each : devices_)
    result += each.facts.slots - each.used_slots;
  return result;
}

}  // namespace dim::actors
