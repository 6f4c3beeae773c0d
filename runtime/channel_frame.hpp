#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"
#include "runtime/shared_ring.hpp"

/// Messages over a `shared_ring`: a head that is encoded, and blobs whose bytes are copied once
/// into the ring and once out of it.
namespace dim::runtime {

struct channel_frame {
  /// Names the question of which it is a part.
  std::uint64_t number = 0;
  /// What the head is; the meaning is that of who uses the channel.
  std::uint32_t kind = 0;
  std::vector<char> head;
  std::vector<bytes> blobs;
};

/// Beyond this a frame is taken for damage.
inline constexpr std::uint64_t frame_bytes_max = 8ull << 30;
inline constexpr std::uint32_t frame_blobs_max = 1 << 20;

/// Writes frames one after the other, each as far as there is room: a frame may be larger than the
/// ring. Who pushes bounds how many wait.
class frame_writer {
public:
  explicit frame_writer(shared_ring& ring) : ring_(ring) {
  }

  void push(channel_frame frame);

  /// Writes what there is room for; whether the reader must be woken. When it leaves something,
  /// the reader will wake this side (`shared_ring::release`).
  [[nodiscard]] bool flush();

  bool is_done() const noexcept {
    return waiting_.empty();
  }

private:
  /// A frame whose sizes stand in `sizes`, as they go over the ring.
  struct open_frame {
    channel_frame content;
    std::vector<char> sizes;
  };

  /// Writes from the first frame; whether it is written whole.
  bool write_first();
  /// Writes the rest of a part; whether it is written whole.
  bool write_part(const char* data, std::size_t size);

  shared_ring& ring_;
  std::deque<open_frame> waiting_;
  /// Of the first frame: the part that is being written (sizes, head, blobs), and how far.
  std::size_t part_ = 0;
  std::size_t offset_ = 0;
};

/// Reads frames as they come, each as far as it is there.
class frame_reader {
public:
  explicit frame_reader(shared_ring& ring) : ring_(ring) {
  }

  /// The next frame that is there whole; none when it has not come yet. Afterwards the room must be
  /// given back with `shared_ring::release`. Errors: corrupt, for good.
  expected<std::optional<channel_frame>> next();

private:
  struct fixed_part {
    std::uint64_t number = 0;
    std::uint32_t kind = 0;
    std::uint32_t blobs = 0;
    std::uint64_t head_bytes = 0;
  };

  /// Reads the rest of a part; whether it is there whole.
  bool read_part(char* data, std::size_t size);
  /// The same of a part that takes its memory as it comes: what a peer merely announces costs none.
  bool read_growing(std::vector<char>& part, std::uint64_t size);
  expected<void> make_room_for_sizes();
  expected<void> make_room_for_blobs();
  /// Goes as far as the ring's input does; whether the frame is whole.
  expected<bool> advance();

  shared_ring& ring_;
  enum class stage : std::uint8_t { fixed, sizes, head, blobs } stage_ = stage::fixed;
  fixed_part fixed_;
  std::vector<std::uint64_t> sizes_;
  std::vector<char> head_;
  std::vector<std::vector<char>> blobs_;
  std::size_t blob_ = 0;
  /// Of the part that is being read.
  std::size_t offset_ = 0;
};

}  // namespace dim::runtime
