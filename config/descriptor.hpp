#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "config/options.hpp"
#include "config/text_rules.hpp"

/// What is known about each option besides its default. Reading, checking, printing and the flags
/// are all made from this one table.
namespace dim::config {

/// Where an option's value lives in an `options`.
using slot = std::variant<bool*, std::uint16_t*, std::uint32_t*, std::uint64_t*, std::int32_t*,
                          std::string*, std::vector<std::string>*>;

/// An option.
struct descriptor {
  std::string_view section;
  std::string_view key;
  slot (*locate)(options&) = nullptr;
  /// "milliseconds", "bytes", ...; empty for texts and plain counts.
  std::string_view unit;
  /// Smallest and largest whole number, or number of entries in a list.
  std::int64_t low = 0;
  std::int64_t high = 0;
  /// For a text, and for each entry of a list; nullptr: any text.
  const text_rule* rule = nullptr;
  /// Full sentences for the person who edits the file.
  std::string_view meaning;

  /// "gateway.port", as in the flag `--gateway.port`.
  std::string name() const {
    return name_of(section, key);
  }
  /// "DIM_GATEWAY_PORT".
  std::string variable() const {
    return variable_of(section, key);
  }

  static std::string name_of(std::string_view section, std::string_view key);
  static std::string variable_of(std::string_view section, std::string_view key);
};

/// A section of the file.
struct section_descriptor {
  std::string_view name;
  std::string_view meaning;
};

/// All sections, in the order in which they are printed.
std::span<const section_descriptor> sections();

/// All options, section by section, in the order of options.hpp.
std::span<const descriptor> descriptors();

/// The option with this section and key, or nullptr.
const descriptor* find_descriptor(std::string_view section, std::string_view key);

}  // namespace dim::config
