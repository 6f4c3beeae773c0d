#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include <caf/actor_system.hpp>

#include "runtime/channel_frame.hpp"
#include "runtime/channel_listener.hpp"
#include "runtime/shared_channel.hpp"

namespace dim::runtime {

/// One end of a channel, for the actor that has it: frames out, frames in, and the thread that
/// tells the actor when to look. Used from the actor alone.
///
///     on a message of `tell`:  end.hear(); while (frame = end.next()) ...
class channel_end {
public:
  /// As for `channel_listener`.
  channel_end(caf::actor_system& system, std::shared_ptr<shared_channel> channel,
              std::function<void()> tell, listener_thread thread);

  /// Writes the frame behind those that wait, as far as there is room; the rest follows in `hear`.
  void send(channel_frame frame);

  /// Something has come, or there is room again: writes what has waited for that. What comes from
  /// now on is told anew.
  void hear();

  /// Nothing that was sent waits for room.
  bool is_done() const noexcept {
    return writer_.is_done();
  }

  /// The next frame that is there whole; none when it has not come yet. Errors: corrupt, for good.
  expected<std::optional<channel_frame>> next();

private:
  void write();

  std::shared_ptr<shared_channel> channel_;
  frame_writer writer_;
  frame_reader reader_;
  /// The last member: its thread is told to end before the others go.
  channel_listener listener_;
};

}  // namespace dim::runtime
