#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace dim::tools {

/// One answer, as the load generator saw it.
struct answer {
  unsigned status = 0;
  std::string body;
};

/// What a connection does: given the number of the request and the answer to the one before on this
/// connection (status 0 at first), the whole HTTP/1.1 request to send next, or an empty string to
/// stop.
using request_source = std::function<std::string(std::uint64_t number, const answer& before)>;

struct load_options {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::uint32_t connections = 32;
  std::chrono::milliseconds duration{5'000};
  /// Requests a second over all connections; 0 sends the next as soon as the answer is here. With a
  /// rate, latency is counted from the moment at which the request was due (no coordinated
  /// omission).
  double rate = 0;
};

struct load_result {
  std::uint64_t answered = 0;
  std::uint64_t errors = 0;
  double seconds = 0;
  /// Microseconds, sorted.
  std::vector<std::uint32_t> latencies_us;

  double per_second() const {
    return seconds > 0 ? double(answered) / seconds : 0;
  }
  /// The latency below which `share` (0 to 1) of the answers lie; 0 without answers.
  double quantile_us(double share) const;
};

/// Sends requests over keep-alive connections from one thread. `is_good` tells whether an answer
/// counts.
load_result run_load(const load_options& options, const request_source& source,
                     const std::function<bool(const answer&)>& is_good);

/// One request on a connection of its own; status 0 when the server can not be reached.
answer ask_once(const std::string& host, std::uint16_t port, const std::string& request);

/// An HTTP/1.1 request as text. `headers` are whole lines, each with its "\r\n".
std::string http_request(const std::string& method, const std::string& target,
                         const std::string& body = {}, const std::string& headers = {});

}  // namespace dim::tools
