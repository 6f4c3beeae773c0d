#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

namespace dim::tests {

/// One answer as it came over the wire.
struct raw_reply {
  int status = 0;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// An HTTP client that sends exactly what the test says, over one real connection to a port of this
/// machine. Every wait has a deadline; a wait that is over ends the test case.
class raw_client {
public:
  explicit raw_client(std::uint16_t port);
  ~raw_client();
  raw_client(const raw_client&) = delete;
  raw_client& operator=(const raw_client&) = delete;

  /// Sends all of `text`; false when the other side has closed.
  bool send(std::string_view text);
  /// Sends what the socket takes without waiting; returns how much that was.
  std::size_t send_some(std::string_view text);
  /// Waits until the socket takes more, at most `milliseconds`.
  bool wait_writable(int milliseconds);
  /// No more will be sent.
  void finish_sending();
  void close();

  /// Reads the next answer; `has_body` false for one to HEAD. Empty when the connection was closed.
  std::optional<raw_reply> read(bool has_body = true);
  /// `send` and `read`, with a connection that must not be closed in between.
  raw_reply ask(std::string_view text);
  /// Whether the other side closes without another byte.
  bool is_closed();
  /// Bytes that can be read now, without waiting.
  std::string peek();
  int native_handle() const noexcept {
    return socket_;
  }

private:
  bool receive();

  int socket_ = -1;
  std::string received_;
  /// Since the last answer, as much of it as is recorded.
  std::string sent_;
};

/// A request with its Content-Length.
std::string request_text(std::string_view method, std::string_view target,
                         std::string_view body = {}, std::string_view more_headers = {});

}  // namespace dim::tests
