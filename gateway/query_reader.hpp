#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <string_view>

#include "gateway/http_message.hpp"
#include "gateway/problem_list.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// Reads the parameters of a request's query, and names all that is wrong with them at once.
class query_reader {
public:
  explicit query_reader(const http_request& request) : request_(request) {
  }

  /// The text of parameter `name`; "" when it is not there.
  std::string text(std::string_view name);
  /// A whole number from `min` to `max`, or `otherwise` when it is not there.
  std::uint64_t whole(std::string_view name, std::uint64_t min, std::uint64_t max,
                      std::uint64_t otherwise);
  /// Notes a problem with parameter `name`.
  void refuse(std::string_view name, std::string_view what);

  /// Whether all parameters were read and are right; else `bad_input` with each problem. Parameters
  /// that were never asked for are unknown.
  runtime::expected<void> finish();

private:
  const http_request& request_;
  std::set<std::string, std::less<>> known_;
  problem_list problems_{100};
};

}  // namespace dim::gateway
