#include "tools/fault/strike_plan.hpp"

#include <algorithm>
#include <cmath>

#include "runtime/random_source.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t slice_ms = 5'000;

/// Pauses with this mean, as between events that know nothing of each other.
std::int64_t random_pause(runtime::random_source& random, std::int64_t mean_ms) {
  const auto pause = -std::log(1.0 - random.unit()) * static_cast<double>(mean_ms);
  return std::max<std::int64_t>(1, std::llround(pause));
}

}  // namespace

bool is_held(scenario::fault_action action) noexcept {
  using enum scenario::fault_action;
  return action == drop || action == delay || action == duplicate || action == corrupt
         || action == slow || action == wrong_result || action == out_of_memory;
}

std::vector<strike> strikes_of(const scenario::scenario& plan) {
  std::vector<strike> result;
  for (std::size_t index = 0; index < plan.faults.size(); ++index) {
    const auto& fault = plan.faults[index];
    // Each fault draws from a source of its own, so that one more changes nothing for the others.
    runtime::random_source random{plan.seed * 1'000'003 + index};
    const auto until =
      fault.until_ms == 0 ? plan.duration_ms : std::min(fault.until_ms, plan.duration_ms);
    if (is_held(fault.action)) {
      const auto seed = random.next();
      for (auto at = fault.from_ms; at < until; at += slice_ms)
        result.push_back({at, index, std::min(slice_ms, until - at), seed + result.size()});
    } else if (fault.every_ms == 0) {
      result.push_back({fault.from_ms, index, fault.lasts_ms, random.next()});
    } else {
      for (auto at = fault.from_ms + random_pause(random, fault.every_ms); at < until;
           at += random_pause(random, fault.every_ms))
        result.push_back({at, index, fault.lasts_ms, random.next()});
    }
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const auto& left, const auto& right) { return left.at_ms < right.at_ms; });
  return result;
}

}  // namespace dim::tools
