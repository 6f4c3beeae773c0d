#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/errors.hpp"
#include "runtime/process_start.hpp"

namespace dim::runtime {

/// Why a process ended.
enum class end_cause : std::uint8_t {
  exited,        ///< By itself, with a status.
  signalled,     ///< By a signal that this process did not send.
  killed,        ///< By `launcher::kill`.
  memory_limit,  ///< By the launcher, beyond its memory limit.
  not_started,   ///< It never began.
};

struct process_end {
  end_cause cause = end_cause::exited;
  /// The exit status, or the number of the signal.
  int status = 0;
  /// Of `kill`, or why it did not start.
  std::string reason;
  /// The end of its standard error.
  std::string error_text;
  /// The most memory (RssAnon + RssShmem) that was seen.
  std::uint64_t memory_peak_bytes = 0;
};

/// "exit status 3", "signal 11 (Segmentation fault)", "killed: agent timeout", ...
std::string describe(const process_end& end);

/// Names a process of one launcher; never 0 and never used twice.
using process_id = std::uint64_t;

/// Runs programs beside this one, on one thread that lives as long as the launcher: the children
/// are bound to that thread, and die with it even when this process is killed. Watches their memory
/// and gathers what they say on standard error. Any thread may call; nothing here blocks.
class launcher {
public:
  /// Both run on the launcher's thread: they send a message to an actor and do nothing else.
  struct callbacks {
    /// May be empty.
    std::function<void(std::int64_t pid)> started;
    /// Comes exactly once for every `start`, unless the launcher ends first.
    std::function<void(const process_end&)> ended;
  };

  launcher();

  /// Kills all children and waits for their end; no callback runs from here on.
  ~launcher();

  launcher(const launcher&) = delete;
  launcher& operator=(const launcher&) = delete;

  /// Starts the program soon. A failure comes through `ended`, with cause `not_started`.
  process_id start(process_spec spec, callbacks tell);

  /// Sends SIGKILL to the process and all that it has started. `reason` is what `ended` tells.
  /// Ignored when it has ended.
  void kill(process_id id, std::string reason);

private:
  class thread;
  std::unique_ptr<thread> thread_;
};

}  // namespace dim::runtime
