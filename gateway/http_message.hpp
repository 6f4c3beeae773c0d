#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/bytes.hpp"

/// What a handler sees of HTTP: plain structs, without sockets and without the library behind them.
namespace dim::gateway {

/// One request, after its header (and, for buffered routes, its body) has come.
struct http_request {
  /// In capitals: "GET". A HEAD request comes as GET; the session leaves the body out.
  std::string method;
  /// The path's segments, percent-decoded; the empty one of a trailing slash is left out.
  std::vector<std::string> segments;
  /// What the route's `{name}` segments stand for.
  std::map<std::string, std::string, std::less<>> parameters;
  /// Decoded, in order.
  std::vector<std::pair<std::string, std::string>> query;
  /// Names in lower case; values of a repeated field are joined with ", ".
  std::map<std::string, std::string, std::less<>> headers;
  /// Empty for a route that streams its body.
  runtime::bytes body;
  /// As declared; empty for a chunked body.
  std::optional<std::uint64_t> content_length;

  /// The value of header field `name` (in lower case), or "".
  std::string_view header(std::string_view name) const;
  /// What `{name}` of the route's pattern stands for, or "".
  std::string_view parameter(std::string_view name) const;
};

/// One answer. The session adds Content-Length, Date, Server and Connection.
struct http_reply {
  unsigned status = 200;
  /// Besides Content-Type.
  std::vector<std::pair<std::string, std::string>> headers;
  std::string content_type = "application/json";
  std::string body;
  /// Bytes that follow `body`, sent from where they are.
  std::vector<runtime::bytes> tail = {};

  /// Of body and tail together.
  std::size_t content_length() const noexcept;
};

/// The decoded parts of a request's target.
struct request_target {
  std::vector<std::string> segments;
  std::vector<std::pair<std::string, std::string>> query;
};

/// Takes a target apart: "/a/b%20c?x=1&y". The absolute form ("http://host/a") is understood too.
/// Empty for a target that is not a path, or whose path has a malformed percent sign or an encoded
/// NUL. A name or value in the query that has one stays as it is written.
std::optional<request_target> parse_target(std::string_view target);

}  // namespace dim::gateway
