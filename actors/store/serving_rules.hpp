#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "actors/store/model_messages.hpp"
#include "models/serving_wishes.hpp"
#include "runtime/errors.hpp"

/// What the parts of the `serving_table` share.
namespace dim::actors::serving_rules {

inline constexpr std::string_view not_chosen = "not chosen by the version policy";
inline constexpr std::string_view unloaded = "unloaded";
/// Ensembles of ensembles; deeper ones are taken for a circle.
inline constexpr std::uint32_t depth_max = 8;

inline std::uint64_t number_of(const std::string& version) {
  std::uint64_t number = 0;
  std::from_chars(version.data(), version.data() + version.size(), number);
  return number;
}

/// The versions to serve, among those that are there: a map by number. Beside those of the wish or
/// the policy they are the `pinned` ones, which aliases stand for.
template <class Versions>
std::set<std::uint64_t> chosen(const Versions& available, const models::model_wish& wish,
                               const models::version_policy& policy,
                               const std::set<std::uint64_t>& pinned) {
  std::set<std::uint64_t> numbers;
  if (!wish.is_loaded)
    return numbers;
  std::set<std::uint64_t> pinned_there;
  const bool is_specific = policy.choice == models::version_choice::specific;
  const auto& named = is_specific && wish.versions.empty() ? policy.versions : wish.versions;
  for (auto each = available.rbegin(); each != available.rend(); ++each) {
    const std::uint64_t number = each->first;
    if (is_specific || !named.empty()) {
      if (std::find(named.begin(), named.end(), number) != named.end())
        numbers.insert(number);
    } else if (policy.choice == models::version_choice::all || numbers.size() < policy.count) {
      numbers.insert(number);
    }
    if (pinned.contains(number))
      pinned_there.insert(number);
  }
  numbers.merge(pinned_there);
  return numbers;
}

inline bool is_same_agent(const model_entry& one, const model_entry& other) {
  return one.digest == other.digest && one.revision == other.revision;
}

inline tl::unexpected<runtime::failure> unknown_model(const std::string& words) {
  return runtime::fail(runtime::error_code::model_not_found,
                       "Request for unknown model: " + words + " is not found");
}

}  // namespace dim::actors::serving_rules
