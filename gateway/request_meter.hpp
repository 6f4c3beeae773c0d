#pragma once

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "runtime/metrics.hpp"

namespace dim::gateway {

/// Counts the requests of one route. Thread-safe.
class request_meter {
public:
  request_meter(std::string method, std::string pattern);

  /// An answer with `status` has been written, `took` after the request's header had come.
  void count(unsigned status, std::chrono::steady_clock::duration took);

private:
  const std::string method_;
  const std::string pattern_;
  std::mutex mutex_;
  /// Made with the first request: most routes are never asked for.
  std::optional<runtime::histogram> duration_;
  std::map<unsigned, runtime::counter> by_status_;
};

/// For requests that no route takes: one meter for all paths, which are the client's to choose.
request_meter& unrouted_meter();

/// What connections count together.
struct connection_meters {
  runtime::gauge connections = runtime::gauge_of(runtime::metric::gateway_connections);
  runtime::counter received = runtime::counter_of(runtime::metric::gateway_received_bytes);
  runtime::counter sent = runtime::counter_of(runtime::metric::gateway_sent_bytes);
};

const connection_meters& meters_of_connections();

}  // namespace dim::gateway
