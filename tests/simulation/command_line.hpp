#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "tests/simulation/campaign.hpp"

namespace dim::simulation {

/// What `dim-sim` was asked to do.
struct wish {
  std::uint64_t first_seed = 1;
  std::uint64_t last_seed = 1;
  generator_limits limits;
  /// Runs this plan instead of generated ones, for each seed.
  std::optional<scenario::scenario> plan;
  std::string plan_file;
  /// "tcp", "chaos"; empty: as the seed has it.
  std::string links;
  /// "actors": one actor system; "basp": several over real BASP.
  std::string ring = "actors";
  /// The name of a planted bug; empty: none.
  std::string bug;
  campaign_options campaign;
  bool is_traced = false;
  bool is_shrunk = false;
  bool is_json = false;
};

/// Reads the command line; the exit status where there is nothing to run (help, a wrong word).
struct command_line {
  wish wanted;
  std::optional<int> exit_status;
};
command_line read_command_line(int argc, char** argv, std::ostream& out, std::ostream& problems);

/// "1..500" or "7". Nothing when it is neither.
std::optional<std::pair<std::uint64_t, std::uint64_t>> read_seeds(const std::string& text);

/// The run of one seed, as the wish has it.
planned_run run_of(const wish& wanted, std::uint64_t seed);

/// The one line that runs this seed again.
std::string replay_line(const wish& wanted, std::uint64_t seed);

}  // namespace dim::simulation
