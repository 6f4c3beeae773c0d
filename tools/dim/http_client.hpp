#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <tl/expected.hpp>

#include "tools/dim/address.hpp"

/// A small HTTP/1.1 client: one connection, one request at a time, a limit on every wait.
namespace dim::tools {

struct client_limits {
  std::uint32_t connect_timeout_ms = 5'000;
  /// From the end of the request to the end of the answer, beside what the request asks to wait.
  std::uint32_t reply_timeout_ms = 30'000;
  /// While a body is sent: without any progress.
  std::uint32_t stall_timeout_ms = 30'000;
  std::uint64_t answer_bytes_max = 1ull << 30;
};

struct http_request {
  std::string method = "GET";
  /// Path and query, encoded; the address's base is put before it.
  std::string target;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  /// Read as the body, when not empty.
  std::string body_file;
  /// Where in that file the body begins; it goes to its end.
  std::uint64_t body_offset = 0;
  /// Time that the server was asked to wait before it answers.
  std::uint32_t wait_ms = 0;
};

struct http_answer {
  unsigned status = 0;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// Nothing that is an answer came.
struct no_answer {
  std::string message;
};

class http_client {
public:
  /// Bytes of the body that are sent, and all of them.
  using progress = std::function<void(std::uint64_t, std::uint64_t)>;

  explicit http_client(address server, client_limits limits = {});
  ~http_client();
  http_client(http_client&&) noexcept;
  http_client& operator=(http_client&&) noexcept;

  /// Sends `request` on the open connection, or on a new one, and reads the answer. An answer that
  /// comes before the whole body is sent ends the sending. Sent only once, but for a GET on a
  /// connection that the server has closed meanwhile.
  tl::expected<http_answer, no_answer> send(const http_request& request,
                                            const progress& sent = nullptr);

  const address& server() const noexcept;

private:
  class connection;
  std::unique_ptr<connection> connection_;
};

}  // namespace dim::tools
