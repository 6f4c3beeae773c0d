#pragma once

#include <map>
#include <string>
#include <vector>

#include "config/descriptor.hpp"
#include "config/problem.hpp"

namespace dim::config {

/// Options while file, environment and flags are laid over the defaults, in this order.
struct draft {
  options values;
  std::vector<problem> problems;
  /// Where each option that is not at its default was set: "gateway.port" -> "dimd.toml:3:8".
  std::map<std::string, std::string> origins;

  /// Where `option` was set, for a message: "dimd.toml:3:8", or "gateway.port" for a default.
  std::string where(const descriptor& option) const {
    auto found = origins.find(option.name());
    return found != origins.end() ? found->second : option.name();
  }

  /// Lays the text of a variable or flag over what `option` has.
  void apply_text(const descriptor& option, const std::string& text, const std::string& where);
};

/// Lays the TOML file at `path` over `target`. A file that can not be read or parsed is one
/// problem; otherwise every unknown section and key, every wrong type and every value out of bounds
/// is one each, by line and column.
void read_file(const std::string& path, draft& target);

/// As `read_file`, for the text of a file that is called `name` in problems.
void read_text(std::string_view text, const std::string& name, draft& target);

/// Lays the variables `DIM_<SECTION>_<KEY>` over `target`. Those of a known section with an unknown
/// key are problems; other variables are not looked at.
void read_environment(const std::map<std::string, std::string>& variables, draft& target);

/// Finds options that contradict each other, such as a suspect time longer than the lost time.
void check_together(draft& target);

}  // namespace dim::config
