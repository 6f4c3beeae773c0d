#pragma once

#include <string>
#include <string_view>

#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// Where a gateway is.
struct address {
  std::string host;
  std::string port;
  /// What stands before every path, without a slash at its end: "" or "/dim".
  std::string base;

  /// The value of the Host header.
  std::string authority() const;
  bool operator==(const address&) const = default;
};

/// Takes "http://host[:port][/base]" or "host:port" apart; IPv6 addresses stand in brackets. The
/// port is 80 when none is given. Errors: usage.
outcome<address> parse_address(std::string_view url);

/// `text` with everything but letters, digits, '-', '.', '_' and '~' percent-encoded.
std::string percent_encoded(std::string_view text);

}  // namespace dim::tools
