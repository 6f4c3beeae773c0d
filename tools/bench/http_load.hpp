#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "tools/bench/latency_histogram.hpp"

namespace dim::tools {

/// One answer, as the load generator saw it.
struct answer {
  unsigned status = 0;
  std::string body;
};

/// A whole HTTP/1.1 request. One that is sent many times is best made once and shared.
class request_text {
public:
  request_text(std::string text) : text_(std::make_shared<const std::string>(std::move(text))) {
  }
  request_text(const char* text) : request_text(std::string{text}) {
  }
  request_text(std::shared_ptr<const std::string> text) : text_(std::move(text)) {
  }
  const std::string& view() const noexcept {
    return *text_;
  }

private:
  std::shared_ptr<const std::string> text_;
};

/// What a connection does: given the number of the request and the answer to the one before on this
/// connection (status 0 at first), the request to send next, or an empty one to stop.
using request_source = std::function<request_text(std::uint64_t number, const answer& before)>;

struct load_options {
  /// A name or an address.
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  std::uint32_t connections = 32;
  /// Answers of this time are not counted; it comes before `duration`.
  std::chrono::milliseconds warm_up{0};
  std::chrono::milliseconds duration{5'000};
  /// Requests a second over all connections; 0 sends the next as soon as the answer is here. With a
  /// rate, latency is counted from the moment at which the request was due (no coordinated
  /// omission).
  double rate = 0;
  /// A request without an answer for so long is an error, and its connection is opened anew.
  std::chrono::milliseconds reply_timeout{30'000};
};

struct load_result {
  std::uint64_t answered = 0;
  /// Answers that do not count, connections that could not be had or were lost, and requests
  /// without an answer.
  std::uint64_t errors = 0;
  /// Of all counted answers, without their headers.
  std::uint64_t answer_bytes = 0;
  /// From the end of the warm-up to the last answer; at a rate, from the first request that counts
  /// to when the one after the last is due, or to the last answer where that comes later.
  double seconds = 0;
  latency_histogram latencies;
  /// What went wrong first, in words; empty when nothing did.
  std::string first_error;

  double per_second() const {
    return seconds > 0 ? double(answered) / seconds : 0;
  }
  /// The latency below which `share` (0 to 1) of the answers lie, in microseconds; 0 without
  /// answers.
  double quantile_us(double share) const {
    return latencies.quantile_ns(share) / 1'000;
  }
};

/// Sends requests over keep-alive connections from this thread, and returns when the last answer is
/// here. `is_good` tells whether an answer counts.
load_result run_load(const load_options& options, const request_source& source,
                     const std::function<bool(const answer&)>& is_good);

/// One request on a connection of its own; status 0 when there is no answer.
answer ask_once(const std::string& host, std::uint16_t port, const std::string& request);

/// An HTTP/1.1 request as text. `headers` are whole lines, each with its "\r\n".
std::string make_request(const std::string& method, const std::string& target,
                         const std::string& body = {}, const std::string& headers = {});

}  // namespace dim::tools
