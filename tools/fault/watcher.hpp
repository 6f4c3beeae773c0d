#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "tools/fault/patient_client.hpp"
#include "tools/fault/recorder.hpp"

namespace dim::tools {

/// Looks at the jobs, at the gateway and at what the faults that hold have hit, until the clock is
/// stopped.
class watcher {
public:
  watcher(const address& gateway, recorder& records, run_clock& clock, bool has_faults)
    : client_(gateway), records_(records), clock_(clock), has_faults_(has_faults) {
  }

  void run();

private:
  void look_at_jobs();
  void look_at_faults();
  gateway_reply get(const std::string& target);

  patient_client client_;
  recorder& records_;
  run_clock& clock_;
  bool has_faults_;
  std::optional<std::int64_t> away_since_ms_;
  std::size_t next_job_ = 0;
  /// What each fault has hit so far, by its id.
  std::map<std::string, std::uint64_t> strikes_;
};

}  // namespace dim::tools
