#pragma once

#include <chrono>
#include <csignal>
#include <map>

#include "runtime/descriptor.hpp"

namespace dim::tools {

/// The signals that end a daemon: SIGTERM and SIGINT, which order it, and SIGHUP: the terminal is
/// gone. Not SIGHUP where whoever started this process has it ignored (`nohup`), because the
/// process is to outlive its terminal.
///
/// They are taken by a handler and not by `sigwait`: libraries start threads before `main` can
/// block a signal, and in one of those it would end the process.
///
/// While one lives, no signal of these does anything else; there is at most one at a time. The
/// functions are for one thread at a time.
class end_signals {
public:
  /// Throws std::system_error when the system has no pipe left.
  end_signals();
  /// The signals do again what they did before.
  ~end_signals();
  end_signals(const end_signals&) = delete;
  end_signals& operator=(const end_signals&) = delete;

  /// Waits for the next of them, and returns its number.
  int wait();

  /// The next order (SIGTERM, SIGINT); 0 when none comes in that time.
  int wait_for_order(std::chrono::milliseconds patience);

private:
  /// The next of them; 0 when none comes in that time, which may be negative: for ever.
  int next(std::chrono::milliseconds patience);

  runtime::descriptor read_end_;
  runtime::descriptor write_end_;
  std::map<int, struct sigaction> before_;
};

}  // namespace dim::tools
