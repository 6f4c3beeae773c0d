#include "actors/router/route_table.hpp"

#include <algorithm>

#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<5> strategy_names{"least_outstanding", "round_robin", "weighted",
                                                "random", "power_of_two"};

}  // namespace

balance_strategy balance_strategy_from(std::string_view name) noexcept {
  for (std::size_t index = 0; index < strategy_names.size(); ++index)
    if (strategy_names[index] == name)
      return static_cast<balance_strategy>(index);
  return balance_strategy::least_outstanding;
}

std::optional<std::size_t> route_table::known_place_of(const std::string& id) const {
  auto found =
    std::find_if(nodes_.begin(), nodes_.end(), [&](const node& each) { return each.id == id; });
  if (found == nodes_.end())
    return std::nullopt;
  return static_cast<std::size_t>(found - nodes_.begin());
}

std::size_t route_table::place_of(const std::string& id) {
  if (auto known = known_place_of(id))
    return *known;
  nodes_.push_back(node{id});
  return nodes_.size() - 1;
}

void route_table::set_node(std::size_t place, bool usable, double worth) {
  nodes_[place].usable = usable;
  nodes_[place].worth = worth;
}

bool route_table::is_better(std::size_t one, std::size_t other) const {
  auto first = load_of(one);
  auto second = load_of(other);
  if (first != second)
    return first < second;
  return nodes_[one].last_choice < nodes_[other].last_choice;
}

std::size_t route_table::best_of(const std::vector<std::size_t>& candidates) const {
  return *std::min_element(
    candidates.begin(), candidates.end(),
    [this](std::size_t one, std::size_t other) { return is_better(one, other); });
}

std::size_t route_table::owed_most(route_shares& version,
                                   const std::vector<std::size_t>& candidates) const {
  // Smooth weighted round robin: each is owed what it is worth, and the chosen one pays for all.
  double sum = 0;
  auto chosen = candidates.front();
  for (auto place : candidates) {
    sum += nodes_[place].worth;
    version.at(place).credit += nodes_[place].worth;
    if (version.at(place).credit > version.at(chosen).credit)
      chosen = place;
  }
  version.at(chosen).credit -= sum;
  return chosen;
}

std::optional<std::size_t> route_table::choose(route_shares& version,
                                               std::optional<std::size_t> excluded) {
  candidates_.clear();
  auto some_warm = false;
  for (std::size_t place = 0; place < nodes_.size(); ++place) {
    if (!nodes_[place].usable || place == excluded)
      continue;
    auto warm = version.at(place).warm;
    if (warm && !some_warm)
      candidates_.clear();
    some_warm = some_warm || warm;
    if (warm == some_warm)
      candidates_.push_back(place);
  }
  if (candidates_.empty())
    return std::nullopt;
  auto chosen = candidates_.front();
  switch (strategy_) {
    case balance_strategy::least_outstanding:
      chosen = best_of(candidates_);
      break;
    case balance_strategy::round_robin:
      chosen = *std::min_element(candidates_.begin(), candidates_.end(),
                                 [this](std::size_t one, std::size_t other) {
                                   return nodes_[one].last_choice < nodes_[other].last_choice;
                                 });
      break;
    case balance_strategy::weighted:
      chosen = owed_most(version, candidates_);
      break;
    case balance_strategy::random:
      chosen = candidates_[random_.next() % candidates_.size()];
      break;
    case balance_strategy::power_of_two: {
      chosen = candidates_[random_.next() % candidates_.size()];
      auto other = candidates_[random_.next() % candidates_.size()];
      if (is_better(other, chosen))
        chosen = other;
      break;
    }
  }
  nodes_[chosen].last_choice = ++choices_;
  return chosen;
}

std::vector<std::size_t> route_table::cold_nodes(route_shares& version,
                                                 std::size_t nodes_max) const {
  std::vector<std::size_t> cold;
  std::size_t serving = 0;
  for (std::size_t place = 0; place < nodes_.size(); ++place) {
    if (!nodes_[place].usable)
      continue;
    if (version.at(place).warm || version.at(place).warming)
      ++serving;
    else
      cold.push_back(place);
  }
  std::stable_sort(cold.begin(), cold.end(), [this](std::size_t one, std::size_t other) {
    return load_of(one) < load_of(other);
  });
  if (nodes_max > 0)
    cold.resize(std::min(cold.size(), nodes_max - std::min(nodes_max, serving)));
  return cold;
}

std::vector<std::size_t> route_table::spare_nodes(route_shares& version,
                                                  std::size_t nodes_max) const {
  std::vector<std::size_t> spare;
  std::size_t usable = 0;
  for (std::size_t place = 0; place < nodes_.size(); ++place) {
    usable += nodes_[place].usable ? 1 : 0;
    auto& share = version.at(place);
    if (nodes_[place].usable && share.resting && !share.warming)
      spare.push_back(place);
  }
  auto cold = cold_nodes(version, 0);
  if (nodes_max == 0 || usable - cold.size() < nodes_max)
    spare.insert(spare.end(), cold.begin(), cold.end());
  return spare;
}

void route_table::begin(route_shares& version, std::size_t place) {
  ++version.at(place).outstanding;
  ++nodes_[place].outstanding;
}

void route_table::end(route_shares& version, std::size_t place) {
  --version.at(place).outstanding;
  --nodes_[place].outstanding;
}

}  // namespace dim::actors
