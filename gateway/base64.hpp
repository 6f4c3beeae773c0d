#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace dim::gateway {

/// `data` in base64 with padding (RFC 4648, section 4).
std::string to_base64(std::string_view data);

/// The bytes that `text` stands for; empty when it is not base64 with padding.
std::optional<std::string> from_base64(std::string_view text);

}  // namespace dim::gateway
