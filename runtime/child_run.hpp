#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// A program to run to its end.
struct child_run {
  std::string program;
  /// Without the program's own name.
  std::vector<std::string> arguments;
  /// It is killed after this; 0: never.
  std::chrono::milliseconds time_max{0};
};

/// How it ended.
struct child_end {
  /// Its exit status; meaningless when `signal` is not 0.
  int status = 0;
  /// The signal that ended it; 0 when it exited.
  int signal = 0;
  bool timed_out = false;
  /// The last 4 KiB of its standard error.
  std::string error_text;

  bool succeeded() const noexcept {
    return status == 0 && signal == 0 && !timed_out;
  }
};

/// Starts the program and waits for its end: blocks the calling thread. Its standard input is empty
/// and its standard output is dropped. Errors: internal (it can not be started).
expected<child_end> run_to_end(const child_run& run);

/// Runs `work` in a copy of this process (fork, without exec) and waits for its end; what `work`
/// returns is the copy's exit status. Nothing is loaded anew, which of a program with large
/// libraries is most of the start. The copy has this thread alone, so `work` must not need what
/// another one may have locked: memory, files and standard error are fine. The copy is killed after
/// `time_max` (0: never), and when the calling thread ends. Errors: internal (this process can not
/// be copied).
expected<child_end> run_in_copy(const std::function<int()>& work,
                                std::chrono::milliseconds time_max);

}  // namespace dim::runtime
