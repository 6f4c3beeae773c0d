#pragma once

#include <map>
#include <ostream>
#include <string>
#include <vector>

#include "config/options.hpp"
#include "config/problem.hpp"

/// How a program gets its options:
///
///     auto loaded = config::load(argc, argv, config::process_environment());
///     if (!loaded.is_ready())
///       return config::report(loaded, std::cout, std::cerr);
///
/// The order of precedence is default < file (`--config FILE` or `DIM_CONFIG`) < environment
/// (`DIM_GATEWAY_PORT`) < flag (`--gateway.port`).
namespace dim::config {

/// Names and values of environment variables.
using environment = std::map<std::string, std::string>;

/// The environment of this process.
environment process_environment();

/// Options that are ready to use, or what to print instead.
struct load_result {
  /// Valid, and resolved (see `resolve`), when `is_ready()`.
  options values;
  /// Everything that is wrong, in file, environment and flags, in this order.
  std::vector<problem> problems;
  /// What `--help`, `--version`, `--check-config` or `--print-config` asked for; else empty.
  std::string answer;

  /// Whether the program is to go on with `values`.
  bool is_ready() const {
    return problems.empty() && answer.empty();
  }
};

/// Reads the options of a program started with `argv`. Never throws.
load_result load(int argc, const char* const* argv, const environment& variables);

/// Prints every problem to `err`, or the answer to `out`; returns the exit status: 2 with problems,
/// else 0.
int report(const load_result& result, std::ostream& out, std::ostream& err);

}  // namespace dim::config
