#pragma once

#include <cstdint>
#include <filesystem>

#include "runtime/errors.hpp"

/// The file in which a daemon tells its process id and its ports, as a JSON object.
namespace dim::tools {

struct ports_in_use {
  /// 0: does not listen.
  std::uint16_t cluster = 0;
  std::uint16_t gateway = 0;
};

/// Writes all of it, or nothing. Errors: unavailable.
runtime::expected<void> write_port_file(const std::filesystem::path& file,
                                        const ports_in_use& ports);

/// Removes what `write_port_file` has written, unless another process has written over it.
void remove_port_file(const std::filesystem::path& file, const ports_in_use& ports);

}  // namespace dim::tools
