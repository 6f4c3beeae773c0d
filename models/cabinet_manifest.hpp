#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "models/cabinet.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// What a `cabinet.toml` declares.
struct cabinet_manifest {
  std::string name;
  std::string description;
  std::vector<cabinet_column> columns;
};

/// Bytes that one row of a tensor may have at the most, so that a batch always fits into memory.
inline constexpr std::uint64_t cabinet_row_bytes_max = std::uint64_t{64} << 20;

/// Reads the text of a `cabinet.toml`. The failure (`bad_input`) names every problem in `details`,
/// each with line and key.
runtime::expected<cabinet_manifest> parse_cabinet_manifest(std::string_view toml_text);

/// The number of elements in one row of a column that was read from a manifest.
std::uint64_t row_elements(const cabinet_column& column);

}  // namespace dim::models
