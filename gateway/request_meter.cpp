#include "gateway/request_meter.hpp"

namespace dim::gateway {

using runtime::metric;

request_meter::request_meter(std::string method, std::string pattern)
  : method_(std::move(method)), pattern_(std::move(pattern)) {
}

void request_meter::count(unsigned status, std::chrono::steady_clock::duration took) {
  std::lock_guard guard{mutex_};
  if (!duration_)
    duration_ = runtime::histogram_of(metric::http_request_duration, {method_, pattern_});
  duration_->observe(std::chrono::duration<double>(took).count());
  auto found = by_status_.find(status);
  if (found == by_status_.end())
    found = by_status_
              .emplace(status, runtime::counter_of(metric::http_requests,
                                                   {method_, pattern_, std::to_string(status)}))
              .first;
  found->second.add();
}

request_meter& unrouted_meter() {
  static request_meter meter{"any", "none"};
  return meter;
}

const connection_meters& meters_of_connections() {
  static const connection_meters meters;
  return meters;
}

}  // namespace dim::gateway
