#pragma once

#include <cstdint>
#include <string>

namespace dim::tools {

/// What a node tells the agent process that it starts.
struct serve_options {
  /// "127.0.0.1:41234": where the node's AGENT ENTRY listens.
  std::string connect;
  /// Shown to the node; from the environment, so that no list of processes shows it.
  std::string token;
  /// For the dial, and for the node's answer.
  std::uint32_t dial_timeout_ms = 5'000;
  /// Heartbeats of the link, as the node has them.
  std::uint32_t heartbeat_ms = 1'000;
  std::uint32_t lost_ms = 10'000;
  /// The node asks over a channel in shared memory, whose descriptors (memory, the node's bell, its
  /// own) are numbers 3, 4 and 5 of this process.
  bool has_channel = false;
  /// How long its threads look for work before they sleep.
  std::uint32_t spin_us = 0;
};

/// Offers INFERENCE to the node until the node is gone. Returns the exit status: 0 when the node
/// went away after it was joined, else 1, with the reason on standard error. Actors may still run
/// then: the process must end with `_exit`.
int serve(const serve_options& options);

}  // namespace dim::tools
