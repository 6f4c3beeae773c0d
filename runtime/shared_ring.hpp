#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace dim::runtime {

/// A ring of bytes in memory that two processes have mapped: one direction of a `shared_channel`.
/// One writer puts bytes in, one reader takes them out, in order and without a lock. Each side
/// makes its own object over the same memory.
///
/// Nothing here waits. A side that wants to sleep first says so (`expect_input`, `expect_room`),
/// and looks once more; the other side then learns, from `publish` or `release`, that it has to
/// wake it.
///
/// The peer may be another program gone wrong: what it writes into the shared part is checked, and
/// a ring whose numbers make no sense is broken for good.
class shared_ring {
public:
  /// The memory that a ring of `capacity` bytes takes.
  static constexpr std::size_t memory_for(std::size_t capacity) noexcept {
    return sizeof(control) + capacity;
  }

  /// `memory` holds `memory_for(capacity)` bytes, is aligned to 64, and was all zero before the
  /// first side used it. `capacity` is a power of two.
  shared_ring(char* memory, std::size_t capacity) noexcept;

  // -- the writer

  /// Bytes that there is room for.
  std::size_t room() noexcept;
  /// Puts in as many of `size` bytes as there is room for, and returns how many. The reader does
  /// not see them before `publish`.
  std::size_t write(const char* data, std::size_t size) noexcept;
  /// Shows the reader what has been written; whether the reader must be woken.
  [[nodiscard]] bool publish() noexcept;
  /// From here on `release` tells the reader to wake this side; whether there is room already.
  [[nodiscard]] bool expect_room() noexcept;

  // -- the reader

  /// Bytes that can be read.
  std::size_t input() noexcept;
  /// Takes at most `size` bytes out, and returns how many.
  std::size_t read(char* data, std::size_t size) noexcept;
  /// Gives the writer the room of what has been read; whether the writer must be woken.
  [[nodiscard]] bool release() noexcept;
  /// From here on `publish` tells the writer to wake this side, until `expect_no_input`.
  void expect_input() noexcept;
  /// This side is awake, and looks by itself.
  void expect_no_input() noexcept;

  // -- anybody: what has been published and released so far

  bool has_input() const noexcept {
    return shared_->written.load() != shared_->taken.load();
  }
  bool has_room() const noexcept {
    return shared_->written.load() - shared_->taken.load() != capacity_;
  }

  /// The other side has written what can not be.
  bool is_broken() const noexcept {
    return is_broken_;
  }

private:
  /// In shared memory. Each side writes to a cache line of its own.
  struct control {
    alignas(64) std::atomic<std::uint64_t> written{0};
    std::atomic<std::uint32_t> writer_waits{0};
    alignas(64) std::atomic<std::uint64_t> taken{0};
    std::atomic<std::uint32_t> reader_waits{0};
  };
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);

  /// Bytes that the other side has left in the ring, by its number and ours; 0 when broken.
  std::size_t between(std::uint64_t front, std::uint64_t back) noexcept;

  control* shared_;
  char* bytes_;
  std::size_t capacity_;
  /// This side's own numbers, which the other can not change. A side uses one of them.
  std::uint64_t written_ = 0;
  std::uint64_t taken_ = 0;
  /// The other side's number, as last seen.
  std::uint64_t seen_written_ = 0;
  std::uint64_t seen_taken_ = 0;
  bool is_broken_ = false;
};

}  // namespace dim::runtime
