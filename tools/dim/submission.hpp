#pragma once

#include <cstdint>
#include <istream>
#include <optional>
#include <string>
#include <vector>

#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// What the command line of `dim submit` says of a job.
struct submission {
  /// A JSON file; "-" is standard input; empty: the flags say it all.
  std::string file;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::optional<std::string> pattern;
  std::vector<std::string> models;
  std::vector<std::string> steps;
  /// As `parse_input` takes them.
  std::vector<std::string> inputs;
  std::optional<std::string> cabinet;
  std::optional<std::int64_t> redundancy;
  std::optional<std::int64_t> consensus;
  std::optional<std::string> compare;
  std::optional<std::string> aggregate;
  std::optional<std::string> reduce;
  std::optional<std::string> vote;
  std::optional<std::int64_t> priority;
  std::optional<std::int64_t> timeout_ms;
  std::optional<std::int64_t> hedge_after_ms;
};

/// The body of the request: the file as it is when no flag changes it, else JSON in which flags
/// replace the file's members. Without `--pattern` and file, several models are `comparative` and
/// steps are `chained`. Errors: usage.
outcome<std::string> submission_body(const submission& wish, std::istream& standard_input);

}  // namespace dim::tools
