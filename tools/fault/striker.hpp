#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tools/fault/patient_client.hpp"
#include "tools/fault/recorder.hpp"
#include "tools/fault/strike_plan.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::tools {

/// Strikes the faults of a plan at their times, until all are struck or the clock is stopped.
class striker {
public:
  struct callbacks {
    /// A line for the person who watches.
    std::function<void(const std::string&)> tell;
    /// A process is to be killed: so long after its end it is to be started again.
    std::function<void(const std::string& name, std::int64_t after_ms)> expect_end;
  };

  striker(const address& gateway, recorder& records, run_clock& clock,
          const scenario::scenario& plan, callbacks tell)
    : client_(gateway), records_(records), clock_(clock), plan_(plan), tell_(std::move(tell)) {
  }

  void run();

private:
  /// False when it could not be tried.
  bool perform(const strike& next);
  std::string order_of(const strike& next, const std::string& target) const;
  void note_success(const strike& next, const std::string& target, const json& answer);

  patient_client client_;
  recorder& records_;
  run_clock& clock_;
  const scenario::scenario& plan_;
  callbacks tell_;
  /// Faults that have hit somebody.
  std::set<std::size_t> struck_;
};

}  // namespace dim::tools
