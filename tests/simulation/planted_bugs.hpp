#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tests/simulation/campaign.hpp"
#include "tests/simulation/hooks.hpp"

namespace dim::simulation {

/// A way to make the system wrong, to prove that the checker sees it. It works through the hooks of
/// the simulated world alone: the code that is checked is the one that is shipped.
struct planted_bug {
  /// For `dim-sim --bug NAME`.
  std::string name;
  /// What is broken, in a sentence.
  std::string meaning;
  /// Invariants by which it may be found.
  std::vector<std::string> found_as;
  /// Makes it for one run.
  hooks_factory make;
};

const std::vector<planted_bug>& planted_bugs();

/// The bug of this name; null when there is none.
const planted_bug* find_bug(const std::string& name);

}  // namespace dim::simulation
