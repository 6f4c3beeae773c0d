#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace dim::runtime {

/// The names of an enumeration's values, in the order of the values, which start at 0.
template <std::size_t Count>
using enum_names = std::array<std::string_view, Count>;

/// The name of `value`; "unknown" for a number that the enumeration does not have.
template <class Enum, std::size_t Count>
constexpr std::string_view name_of(const enum_names<Count>& names, Enum value) noexcept {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : std::string_view{"unknown"};
}

/// The value with exactly this name, if there is one.
template <class Enum, std::size_t Count>
constexpr std::optional<Enum> value_named(const enum_names<Count>& names,
                                          std::string_view text) noexcept {
  for (std::size_t index = 0; index < Count; ++index)
    if (names[index] == text)
      return static_cast<Enum>(index);
  return std::nullopt;
}

}  // namespace dim::runtime
