#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// RFC 4648 with padding.
std::string base64(std::string_view bytes);

/// SHA-256 of the file at `path` as the value of a `Digest` header (RFC 3230): "sha-256=<base64>".
/// Errors: usage (it can not be read).
outcome<std::string> digest_of_file(const std::string& path);

/// The whole text of the file at `path`. Errors: usage (it can not be read).
outcome<std::string> text_of_file(const std::string& path);

}  // namespace dim::tools
