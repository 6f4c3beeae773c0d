#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/descriptor.hpp"
#include "config/problem.hpp"

namespace dim::config {

/// A command line, taken apart but not yet applied.
struct command_line {
  /// Of `--config`; empty when not given.
  std::string file;
  bool check_config = false;
  bool print_config = false;
  /// What `--help` or `--version` prints; else empty.
  std::string answer;
  /// Options with their text, in the order of the table; a repeated list is joined by commas, of
  /// other repeated options the last one stands.
  std::vector<std::pair<const descriptor*, std::string>> values;
  /// Unknown flags, missing values, arguments that belong to nothing.
  std::vector<problem> problems;
};

/// Takes `argv` apart. Never throws.
command_line parse_command_line(int argc, const char* const* argv);

}  // namespace dim::config
