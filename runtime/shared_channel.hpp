#pragma once

#include <cstddef>
#include <memory>

#include "runtime/descriptor.hpp"
#include "runtime/errors.hpp"
#include "runtime/shared_ring.hpp"

namespace dim::runtime {

/// What both processes of a channel hold of it. They go to the other process as they are, so that
/// they must stay open until it has started.
struct channel_descriptors {
  descriptor memory;
  /// Of the process that made the channel, and of the other one.
  descriptor maker_bell;
  descriptor guest_bell;
};

/// A way for bytes between two processes of one machine, without the kernel while both are awake:
/// two rings in shared memory, and a bell for each side, which wakes it when something has come or
/// when there is room again. `channel_frame` carries messages over it, `channel_listener` waits for
/// the bell.
class shared_channel {
public:
  /// Of each direction, in bytes. Larger messages pass in parts.
  static constexpr std::size_t capacity = 1 << 20;

  /// A new channel, for the process that starts the other one. Errors: unavailable, in words.
  static expected<std::shared_ptr<shared_channel>> make();

  /// The guest's side of a channel whose descriptors this process was given. Errors: unavailable.
  static expected<std::shared_ptr<shared_channel>> join(channel_descriptors given);

  ~shared_channel();
  shared_channel(const shared_channel&) = delete;
  shared_channel& operator=(const shared_channel&) = delete;

  shared_ring& outgoing() noexcept {
    return is_maker_ ? to_guest_ : to_maker_;
  }
  shared_ring& incoming() noexcept {
    return is_maker_ ? to_maker_ : to_guest_;
  }

  /// Wakes the other side, now or when it next sleeps. Any thread.
  void ring_peer() noexcept;
  /// Wakes who waits on this side. Any thread.
  void ring_self() noexcept;
  /// Sleeps until this side's bell has rung since the last time.
  void wait() noexcept;

  const channel_descriptors& descriptors() const noexcept {
    return descriptors_;
  }

private:
  shared_channel(channel_descriptors held, char* memory, bool is_maker) noexcept;

  static expected<std::shared_ptr<shared_channel>> map(channel_descriptors held, bool is_maker);

  channel_descriptors descriptors_;
  char* memory_;
  bool is_maker_;
  shared_ring to_guest_;
  shared_ring to_maker_;
};

}  // namespace dim::runtime
