#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "gateway/exchange.hpp"
#include "gateway/http_message.hpp"
#include "gateway/request_meter.hpp"

namespace dim::gateway {

/// How a route takes its body: whole before the handler is called, or block by block when the
/// handler asks (`exchange::read_block`).
enum class body_mode : std::uint8_t { buffered, streamed };

using request_handler = std::function<void(exchange_ptr)>;

/// One row of the route table.
struct route {
  std::string method;
  /// "/api/v1/jobs/{id}": a segment in braces takes any value but an empty one.
  std::string pattern;
  request_handler handle;
  body_mode body = body_mode::buffered;
  /// The group of the Open Inference Protocol, "inference", "health", ..., that the route belongs
  /// to, or whose routes do the same.
  std::string api = {};
  /// The handler takes microseconds for a small body, so that any thread may run it.
  bool is_quick = false;
  /// Made by `router::add`.
  std::shared_ptr<request_meter> meter = {};
};

/// Looks at a request before its handler, and before its body is read; an answer refuses it.
/// Filters run in the order in which they were added.
using request_filter = std::function<std::optional<http_reply>(const http_request&, const route&)>;

/// The table of all routes. Filled before the server starts, read-only (and so thread-safe) after.
class router {
public:
  void add(route entry);
  void add_filter(request_filter filter);

  /// The outcome of `match`: a route, or the answer that refuses the request.
  struct result {
    const route* found = nullptr;
    http_reply refusal;
  };

  /// Finds the route of `request` and sets `request.parameters`. A literal segment goes before
  /// one in braces. 404 when no pattern fits the path, 405 with `Allow` when only the method does
  /// not fit.
  result match(http_request& request) const;

  const std::vector<route>& routes() const noexcept {
    return routes_;
  }

private:
  std::vector<route> routes_;
  /// The segments of each route's pattern, in the order of `routes_`.
  std::vector<std::vector<std::string>> patterns_;
  std::vector<request_filter> filters_;
};

/// Refuses a request whose `Origin` is another site than its `Host`: without it, any web page
/// that a user of this machine opens could submit jobs.
std::optional<http_reply> refuse_foreign_origin(const http_request& request, const route& found);

}  // namespace dim::gateway
