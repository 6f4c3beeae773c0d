#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "config/descriptor.hpp"

/// Values on their way between text and an option's member.
namespace dim::config {

/// A value of the right kind for some option, not yet checked against its bounds.
using value = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

/// What is wrong with a value.
struct value_problem {
  /// The entry of a list that is wrong; empty when it is the value as a whole.
  std::optional<std::size_t> entry;
  /// "expected ..., got ...".
  std::string what;
};

/// What `option` accepts, after "expected ": "a whole number from 0 to 65535".
std::string expectation(const descriptor& option);

/// Reads the text of a variable or flag as the kind of value that `option` has: entries of a list
/// are separated by commas, whole numbers may have underscores between their digits. Empty when it
/// is of another kind.
std::optional<value> value_from(const descriptor& option, const std::string& text);

/// Puts `x` into its option's member when it is of the right kind and within the bounds. Otherwise
/// the member keeps what it has, and every problem is returned.
std::vector<value_problem> assign(const descriptor& option, options& target, const value& x);

/// The option's value in `source`, as TOML.
std::string to_toml(const descriptor& option, const options& source);

/// `text` between quotes, with TOML's escapes.
std::string quoted(std::string_view text);

}  // namespace dim::config
