#pragma once

#include <map>
#include <utility>

#include "actors/engine/execution_record.hpp"
#include "actors/job/job_record.hpp"
#include "runtime/metrics.hpp"

namespace dim::actors {

/// What all JOBs of this process count together for `/metrics`. Thread-safe.
class job_meters {
public:
  /// The only one. The first call makes the families, all at 0: DISPATCHER makes it at its start.
  static const job_meters& shared();

  /// `record` has come to an end (completed, failed, lost or cancelled), for the first time.
  void count(const execution_record& record) const;
  /// `record` has come to its terminal state.
  void count(const job_record& record) const;
  /// The answers of a job were compared.
  void count_consensus(bool reached) const;

private:
  job_meters();

  struct execution_meters {
    runtime::counter ended;
    runtime::histogram duration;
  };

  std::map<execution_state, execution_meters> executions_;
  std::map<std::pair<pattern, job_state>, runtime::histogram> jobs_;
  runtime::counter retries_;
  runtime::counter agreed_;
  runtime::counter split_;
  runtime::gauge share_;
};

}  // namespace dim::actors
