#include "actors/engine/attempts.hpp"

#include <algorithm>
#include <utility>

namespace dim::actors {

namespace {

using runtime::error_code;

/// Whether the node refused the execution, or gave it back before it began: then nothing has run.
/// Where no other node may take it, a node that drains is worth a few attempts only.
bool is_refusal(error_code code, retry_place where) {
  return code == error_code::overloaded
         || (code == error_code::unavailable && where == retry_place::other_node);
}

std::string in_words(const failed_attempt& what) {
  std::string text = "attempt " + std::to_string(what.number);
  if (!what.node_id.empty())
    text += " on node " + what.node_id;
  text += ": ";
  text += to_string(what.error.code);
  if (!what.error.message.empty())
    text += ": " + what.error.message;
  return text;
}

runtime::failure poison(const std::set<std::string>& nodes) {
  std::string names;
  for (auto& node : nodes)
    names += (names.empty() ? "" : ", ") + node;
  return {error_code::poison_input, "the input has killed agents on nodes " + names, {}};
}

}  // namespace

attempts::attempts(const retry_choice& rules, std::uint64_t seed) : rules_(rules), random_(seed) {
}

void attempts::open(place_id place, retry_place where, bool shared_input) {
  auto& counts = tallies_[place];
  auto number = counts.last_number;
  counts = tally{};
  counts.where = where;
  counts.shared_input = shared_input;
  counts.last_number = number;
}

std::uint32_t attempts::take_number(place_id place) {
  return ++tallies_[place].last_number;
}

std::uint32_t attempts::next_number(place_id place) const {
  auto found = tallies_.find(place);
  return found != tallies_.end() ? found->second.last_number + 1 : 1;
}

void attempts::skip_numbers(place_id place, std::uint32_t number) {
  auto& last = tallies_[place].last_number;
  last = std::max(last, number);
}

std::set<std::string> attempts::avoided_for(place_id place) const {
  auto found = tallies_.find(place);
  return found != tallies_.end() ? found->second.avoided : std::set<std::string>{};
}

std::optional<runtime::failure> attempts::note(place_id place, tally& counts,
                                               const failed_attempt& what) {
  const auto code = what.error.code;
  counts.history.push_back(in_words(what));
  const bool moves = counts.where == retry_place::other_node && code != error_code::overloaded;
  if (moves && !what.node_id.empty())
    counts.avoided.insert(what.node_id);
  if (!what.killed_agent || what.node_id.empty())
    return std::nullopt;
  auto& nodes = killed_by(place, counts);
  nodes.insert(what.node_id);
  if (nodes.size() < 2)
    return std::nullopt;
  auto error = poison(nodes);
  error.details = counts.history;
  return error;
}

std::optional<runtime::failure> attempts::failed_beside(place_id place,
                                                        const failed_attempt& what) {
  return note(place, tallies_[place], what);
}

attempt_decision attempts::failed(place_id place, const failed_attempt& what) {
  auto& counts = tallies_[place];
  const auto code = what.error.code;
  if (is_refusal(code, counts.where))
    ++counts.refusals;
  else
    ++counts.failures;
  if (auto judged = note(place, counts, what))
    return std::move(*judged);
  if (is_over(counts, code)) {
    auto error = what.error;
    if (counts.history.size() > 1)
      error.details.insert(error.details.end(), counts.history.begin(), counts.history.end());
    return error;
  }
  return next_attempt{counts.last_number + 1, pause_after(counts.failures + counts.refusals)};
}

std::set<std::string>& attempts::killed_by(place_id place, const tally& counts) {
  return killed_[counts.shared_input ? place_id{place.step, 0} : place];
}

bool attempts::is_over(const tally& counts, error_code code) const {
  if (!runtime::is_retryable(code))
    return true;
  // Its data or its answers went with the node.
  if (code == error_code::node_lost && counts.where == retry_place::same_node)
    return true;
  return counts.failures >= std::max(rules_.attempts_max, 1u) || counts.refusals > refusals_max;
}

std::uint64_t attempts::pause_after(std::uint32_t tries) {
  const std::uint64_t ceiling = std::max(rules_.backoff_ms, rules_.backoff_max_ms);
  const auto doublings = std::min(tries - 1, 32u);
  const auto pause = std::min(std::uint64_t{rules_.backoff_ms} << doublings, ceiling);
  const auto half = pause / 2;
  return pause - half + random_.below(half + 1);
}

}  // namespace dim::actors
