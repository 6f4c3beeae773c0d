#include "tools/dim/address.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>

namespace dim::tools {

namespace {

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5
         && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

tl::unexpected<command_failure> not_an_address(std::string_view url) {
  return fail(exit_status::usage,
              "expected an address such as http://127.0.0.1:8080, got " + std::string{url});
}

}  // namespace

std::string address::authority() const {
  const bool is_v6 = host.find(':') != host.npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + port;
}

outcome<address> parse_address(std::string_view url) {
  auto rest = url;
  if (rest.starts_with("https://"))
    return fail(exit_status::usage, "https is not supported: use a tunnel or a proxy");
  if (rest.starts_with("http://"))
    rest.remove_prefix(7);
  else if (rest.find("://") != rest.npos)
    return not_an_address(url);
  const auto slash = std::min(rest.find('/'), rest.size());
  auto authority = rest.substr(0, slash);
  address result{"", "80", std::string{rest.substr(slash)}};
  while (result.base.ends_with('/'))
    result.base.pop_back();
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  if (colon != authority.npos && (bracket == authority.npos || colon > bracket)) {
    result.port = authority.substr(colon + 1);
    authority = authority.substr(0, colon);
  }
  if (authority.starts_with('[') && authority.ends_with(']'))
    authority = authority.substr(1, authority.size() - 2);
  result.host = authority;
  const bool is_clean = std::none_of(url.begin(), url.end(), [](unsigned char c) {
    return c <= 0x20 || c == 0x7f || c == '?' || c == '#' || c == '@';
  });
  if (result.host.empty() || !is_port(result.port) || !is_clean)
    return not_an_address(url);
  return result;
}

std::string percent_encoded(std::string_view text) {
  std::string result;
  for (unsigned char c : text) {
    if (std::isalnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      result += static_cast<char>(c);
    } else {
      std::array<char, 4> code{};
      std::snprintf(code.data(), code.size(), "%%%02X", c);
      result += code.data();
    }
  }
  return result;
}

}  // namespace dim::tools
