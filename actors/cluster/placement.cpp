#include "actors/cluster/placement.hpp"

#include <algorithm>

#include "actors/cluster/quarantine.hpp"

namespace dim::actors {

namespace {

constexpr double reputation_cap = 200.0;
constexpr double cached_model_bonus = 1.25;
constexpr std::uint64_t gigabyte = 1'000'000'000;

bool names_node(const std::vector<std::string>& names, const node_facts& facts) {
  return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return name == facts.id || name == facts.name;
  });
}

std::string refusal_by_state(const node_record& node) {
  switch (node.state) {
    case node_state::online:
    case node_state::busy:
      return {};
    case node_state::joining:
      return "has not joined yet";
    case node_state::suspect:
      return "has been silent";
    case node_state::offline:
      return "is offline";
    case node_state::quarantined:
      return refusal_of_quarantine(node.quarantine);
    case node_state::draining:
      return "is draining";
  }
  return "is in an unknown state";
}

std::string refusal_by_resources(const execution_request& request, const node_facts& facts) {
  if (facts.cpu_cores < request.required_cpu)
    return "has " + std::to_string(facts.cpu_cores) + " cores, "
           + std::to_string(request.required_cpu) + " are required";
  auto needed = std::uint64_t{request.required_memory} * gigabyte;
  if (facts.memory_bytes < needed)
    return "has " + std::to_string(facts.memory_bytes / gigabyte) + " GB of memory, "
           + std::to_string(request.required_memory) + " are required";
  if (request.required_gpu && !has_gpu(facts.devices))
    return "has no GPU";
  if (slots_of(facts) == 0)
    return "offers no device";
  return {};
}

bool has_cabinet(const node_facts& facts, const std::string& name) {
  return std::any_of(facts.cabinets.begin(), facts.cabinets.end(),
                     [&](const cabinet_facts& cabinet) { return cabinet.name == name; });
}

bool has_model(const node_load& load, const std::string& digest) {
  return std::find(load.cached_models.begin(), load.cached_models.end(), digest)
         != load.cached_models.end();
}

/// What one placement has taken so far.
struct taken {
  std::set<std::string> nodes;
  std::set<std::string> owners;
};

bool owner_is_avoided(const execution_request& request, const node_facts& facts,
                      const taken& so_far) {
  if (facts.owner.empty())
    return false;
  return so_far.owners.contains(facts.owner)
         || std::find(request.avoid_owners.begin(), request.avoid_owners.end(), facts.owner)
              != request.avoid_owners.end();
}

/// Why the node is not taken now although it fits; empty when it is a candidate.
std::string refusal_by_moment(const candidate& node, const std::string& id, const taken& so_far) {
  if (so_far.nodes.contains(id))
    return "already runs a part of this job";
  if (node.cancelled >= cancelled_max)
    return "has not told yet that it dropped " + std::to_string(node.cancelled) + " executions";
  if (!node.has_room())
    return "is full: " + std::to_string(node.in_flight) + " of " + std::to_string(node.capacity)
           + " executions in flight";
  return {};
}

/// Every node with its terms or why it does not fit. Nodes to avoid fit where no other does, if
/// they may.
std::vector<candidate_score> score_all(const execution_request& request, const candidate_map& nodes,
                                       bool may_fall_back) {
  std::vector<candidate_score> scores;
  auto fits_elsewhere = false;
  for (auto& [id, node] : nodes) {
    auto& entry = scores.emplace_back(score_of(request, node));
    entry.refusal = refusal_of(request, node.record);
    fits_elsewhere =
      fits_elsewhere || (entry.refusal.empty() && !names_node(request.avoid, node.record.facts));
  }
  if (request.avoid.empty() || (may_fall_back && !fits_elsewhere))
    return scores;
  auto entry = scores.begin();
  for (auto& [id, node] : nodes) {
    if (entry->refusal.empty() && names_node(request.avoid, node.record.facts))
      entry->refusal = "has failed here before";
    ++entry;
  }
  return scores;
}

/// Chooses among those in `scores` that fit, and counts them in `fitting`, full or not. Returns the
/// chosen node, or an end iterator.
candidate_map::const_iterator choose_node(const execution_request& request,
                                          const candidate_map& nodes, const taken& so_far,
                                          std::vector<candidate_score>& scores,
                                          std::size_t& fitting) {
  auto best = nodes.end();
  auto best_key = std::pair{false, -1.0};
  auto entry = scores.begin();
  for (auto node = nodes.begin(); node != nodes.end(); ++node, ++entry) {
    if (!entry->refusal.empty())
      continue;
    ++fitting;
    entry->refusal = refusal_by_moment(node->second, node->first, so_far);
    const bool is_apart = !owner_is_avoided(request, node->second.record.facts, so_far);
    auto key = std::pair{is_apart, double{entry->score}};
    if (entry->refusal.empty() && (best == nodes.end() || key > best_key)) {
      best = node;
      best_key = key;
    }
  }
  return best;
}

}  // namespace

std::uint32_t slots_of(const node_facts& facts) noexcept {
  std::uint32_t result = 0;
  for (auto& device : facts.devices)
    result += device.slots;
  return result;
}

std::string refusal_of(const execution_request& request, const node_record& node) {
  if (auto by_state = refusal_by_state(node); !by_state.empty())
    return by_state;
  if (!request.include.empty() && !names_node(request.include, node.facts))
    return "is not among the nodes to include";
  if (names_node(request.exclude, node.facts))
    return "is excluded";
  if (!request.cabinet.empty() && !has_cabinet(node.facts, request.cabinet))
    return "has no cabinet '" + request.cabinet + "'";
  return refusal_by_resources(request, node.facts);
}

candidate_score score_of(const execution_request& request, const candidate& node) {
  candidate_score entry;
  entry.node_id = node.record.facts.id;
  entry.node_name = node.record.facts.name;
  auto reputation = std::min<double>(node.record.reputation, reputation_cap) / 100.0;
  auto free_share = node.capacity == 0 || !node.has_room()
                      ? 0.0
                      : double(node.capacity - node.in_flight) / node.capacity;
  auto cached = has_model(node.record.load, request.model.model_digest) ? cached_model_bonus : 1.0;
  entry.reputation_term = reputation;
  entry.free_share_term = free_share;
  entry.cache_term = cached;
  entry.score = reputation * free_share * cached;
  return entry;
}

placement place_group(const std::vector<execution_request>& group, const candidate_map& nodes,
                      bool may_fall_back) {
  placement result;
  taken so_far;
  std::vector<std::string> chosen;
  auto fits_all = true;
  for (auto& request : group) {
    auto& scores = result.scores.emplace_back(score_all(request, nodes, may_fall_back));
    std::size_t fitting = 0;
    auto node = choose_node(request, nodes, so_far, scores, fitting);
    fits_all = fits_all && fitting >= group.size();
    if (node == nodes.end())
      continue;
    chosen.push_back(node->first);
    so_far.nodes.insert(node->first);
    if (!node->second.record.facts.owner.empty())
      so_far.owners.insert(node->second.record.facts.owner);
    for (auto& entry : scores)
      entry.chosen = entry.node_id == node->first;
  }
  if (chosen.size() == group.size())
    result.node_ids = std::move(chosen);
  else
    result.waits_for_room = fits_all;
  return result;
}

std::vector<std::string> refusals_in_words(const std::vector<candidate_score>& scores) {
  std::vector<std::string> result;
  for (auto& entry : scores) {
    auto name = entry.node_name.empty() ? entry.node_id : entry.node_name;
    auto reason = entry.refusal.empty() ? std::string{"fits"} : entry.refusal;
    result.push_back("node " + name + ": " + reason);
  }
  if (result.empty())
    result.emplace_back("no node has joined the cluster");
  return result;
}

}  // namespace dim::actors
