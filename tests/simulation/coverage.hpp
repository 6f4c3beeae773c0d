#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/simulation/seed_report.hpp"

namespace dim::simulation {

/// A rare path that some run of a large enough campaign must have taken: a path that never ran has
/// not been tested, however green the campaign is.
struct rare_path {
  /// As in `history::paths`.
  std::string name;
  /// What happens on it.
  std::string meaning;
};

const std::vector<rare_path>& rare_paths();

/// Campaigns of fewer seeds need not have taken every path.
inline constexpr std::uint64_t coverage_seeds_min = 200;

/// Sums over the runs of a campaign.
class campaign_totals {
public:
  void add(const seed_report& report);

  /// Rare paths that no run took.
  std::vector<rare_path> missed() const;

  std::uint64_t runs = 0;
  std::uint64_t failed = 0;
  std::uint64_t steps = 0;
  std::uint64_t events = 0;
  std::int64_t virtual_ms = 0;
  std::int64_t cpu_ms = 0;
  /// Over all hashes, in the order of the seeds.
  std::uint64_t hash = 14'695'981'039'346'656'037ull;
  std::map<std::string, std::uint64_t> paths;
  std::map<std::string, std::uint64_t> faults;
  std::map<std::string, std::uint64_t> checked;
};

}  // namespace dim::simulation
