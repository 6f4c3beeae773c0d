#include "gateway/restricted_apis.hpp"

#include <map>

#include <openssl/crypto.h>

#include "gateway/http_status.hpp"

namespace dim::gateway {

namespace {

/// A header field, with its name in lower case, and the value that it must have.
struct credential {
  std::string header;
  std::string value;
};

using restrictions = std::multimap<std::string, credential, std::less<>>;

restrictions read_entries(const std::vector<std::string>& entries) {
  restrictions result;
  for (auto& entry : entries) {
    auto colon = entry.find(": ");
    auto equal = entry.find('=', colon);
    if (colon == std::string::npos || equal == std::string::npos)
      continue;
    auto header = entry.substr(colon + 2, equal - colon - 2);
    for (auto& c : header)
      c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    result.emplace(entry.substr(0, colon), credential{header, entry.substr(equal + 1)});
  }
  return result;
}

/// In a time that does not tell how many bytes are right.
bool is_same(std::string_view left, std::string_view right) {
  return left.size() == right.size() && CRYPTO_memcmp(left.data(), right.data(), left.size()) == 0;
}

}  // namespace

request_filter restrict_apis(const std::vector<std::string>& entries) {
  return [table = read_entries(entries)](const http_request& request,
                                         const route& found) -> std::optional<http_reply> {
    auto [first, last] = table.equal_range(found.api);
    if (first == last)
      return std::nullopt;
    auto code = runtime::error_code::unauthorized;
    for (auto entry = first; entry != last; ++entry) {
      auto& [header, value] = entry->second;
      if (is_same(request.header(header), value))
        return std::nullopt;
      if (request.headers.contains(header))
        code = runtime::error_code::forbidden;
    }
    return failure_reply(
      {code, "This API is restricted, expecting header '" + first->second.header + "'", {}});
  };
}

}  // namespace dim::gateway
