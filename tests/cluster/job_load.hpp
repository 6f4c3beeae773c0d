#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "runtime/random_source.hpp"
#include "tests/cluster/caller.hpp"
#include "tools/scenario/history.hpp"

namespace dim::tests {

struct load_shape {
  std::uint64_t seed = 1;
  std::size_t threads = 6;
  /// Mean of a client's pauses between two jobs.
  std::chrono::milliseconds pause{300};
  std::uint64_t job_timeout_ms = 120'000;
  /// Shares of the jobs.
  double cancelled = 0.05;
  double resubmitted = 0.15;
};

/// Clients that submit jobs of four patterns while a cluster falls to pieces and comes back.
///
/// Each job has an Idempotency-Key, and its submission is repeated until it is answered, as clients
/// of a durable service do. Clients look at what they have submitted before, repeat a submission
/// that was answered, and cancel a few jobs; all of it is written down.
class job_load {
public:
  job_load(std::uint16_t port, const load_shape& shape);
  ~job_load();

  /// Lets every client end the job that it is about, waits for them, and puts down what they saw.
  void stop_into(scenario::history& seen);

  std::uint64_t acknowledged() const {
    return acknowledged_;
  }
  /// Answers that no failure of a process explains, in words: a known job that is unknown, a job
  /// that is refused.
  const std::vector<std::string>& complaints() const {
    return complaints_;
  }

private:
  struct client {
    std::string name;
    runtime::random_source random;
    caller gateway;
    std::vector<scenario::submission> submissions;
    std::vector<scenario::sighting> sightings;
    std::vector<std::string> complaints;
    std::uint64_t made = 0;
  };

  void run(client& x);
  /// Repeats until there is an answer; an empty id when none came long after the end of the load.
  std::string submit(client& x, const std::string& key, const std::string& body);
  void look_at(client& x, const std::string& id);
  void cancel(client& x, const std::string& id);
  /// Waits as long as `mean` on average, less when the load is stopped.
  void rest(client& x, std::chrono::milliseconds mean) const;

  std::uint16_t port_;
  load_shape shape_;
  std::vector<std::string> bodies_;
  std::vector<std::unique_ptr<client>> clients_;
  std::vector<std::thread> threads_;
  std::atomic<bool> is_stopping_{false};
  std::atomic<std::uint64_t> acknowledged_{0};
  std::vector<std::string> complaints_;
};

/// The models that `job_load` uses.
const std::vector<std::string>& models_of_load();

/// Milliseconds since 1970.
std::int64_t wall_ms();

}  // namespace dim::tests
