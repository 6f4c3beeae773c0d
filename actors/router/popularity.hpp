#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "actors/store/popularity_messages.hpp"

namespace dim::actors {

/// How often each version of a model is asked for, where a request counts half as much after each
/// half-life. Pure: the time is the caller's.
///
/// It reads totals that others count, so that a request costs it nothing. At most `names_max`
/// versions are remembered: the least popular are forgotten, and whatever is worth less than a
/// thousandth of a request.
class popularity {
public:
  static constexpr std::size_t names_max = 256;

  explicit popularity(std::uint64_t half_life_ms) : half_life_ms_(half_life_ms) {
  }

  /// Begins where an earlier process has stopped: what passed between counts as no time. Adds to
  /// what has been counted since.
  void restore(const popular_models& stored);

  /// Tells the requests that there have been in all to a version; what is more than at the last
  /// time counts as of now. A smaller total begins anew.
  void note_total(const std::string& model, const std::string& version, std::uint64_t total,
                  std::int64_t now_ms);

  /// Lets what has been counted fade until now, and forgets what counts no longer.
  void fade(std::int64_t now_ms);

  /// The most popular versions, best first; equal ones by name. At most `count`.
  popular_models best(std::size_t count) const;

private:
  /// Model and version.
  using key = std::pair<std::string, std::string>;

  void forget_least();

  std::uint64_t half_life_ms_;
  std::int64_t faded_ms_ = 0;
  std::map<key, double> scores_;
  /// What was told last, of every version that was ever asked for in this process.
  std::map<key, std::uint64_t> totals_;
};

}  // namespace dim::actors
