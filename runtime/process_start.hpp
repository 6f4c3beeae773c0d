#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <sys/types.h>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// A program to run beside this one.
struct process_spec {
  /// A path; not looked for in PATH.
  std::string program;
  /// Without the program's own name.
  std::vector<std::string> arguments;
  /// Variables beside, or instead of, those of this process.
  std::vector<std::pair<std::string, std::string>> environment;
  /// The cores it may run on; empty: all of this process.
  std::vector<std::uint32_t> cpus;
  /// Descriptors that it gets as its numbers 3, 4, ..., in this order.
  std::vector<int> descriptors;
  /// Keeps them open until the program has started.
  std::shared_ptr<const void> keeps;
  /// RssAnon + RssShmem beyond which it is killed; 0: no limit.
  std::uint64_t memory_max_bytes = 0;
  /// Bytes of the end of its standard error that are kept.
  std::uint32_t error_text_max = 8 << 10;
};

/// A process that has just begun. Both descriptors belong to the caller, who also waits for the
/// end.
struct started_process {
  pid_t pid = 0;
  int pidfd = -1;
  /// The reading end of its standard error; never blocks.
  int error_pipe = -1;
};

/// Starts the program in a session of its own, with no descriptors but standard error and those of
/// the spec: input is empty, output is dropped. It gets SIGKILL when the thread that called this
/// ends, so that it never outlives its parent. Errors: unavailable (it can not be started, in
/// words).
expected<started_process> start_process(const process_spec& spec);

}  // namespace dim::runtime
