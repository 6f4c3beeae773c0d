#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

/// Counts how often payloads are copied inside this process, so that a test can hold the data path
/// to its promise: one copy a process, two more for each hop between processes.
namespace dim::runtime {

/// Where the bytes of a payload are written a second time.
enum class copy_place : std::uint8_t {
  encode,        ///< Into the buffer of a link.
  decode,        ///< Out of the buffer of a link.
  store_write,   ///< Into a file of the blob store.
  store_read,    ///< Out of a file of the blob store or the model repository.
  gather,        ///< Chunks into one buffer.
  batch,         ///< Requests into one batch, or a batch's outputs apart.
  model_output,  ///< Out of LibTorch's memory.
};

inline constexpr std::size_t copy_place_count = 7;

std::string_view to_string(copy_place place) noexcept;

/// Payloads below this size are not counted: their copies cost less than the counting tells.
inline constexpr std::size_t counted_bytes_min = 64 * 1024;

/// Notes a copy of `size` bytes; any thread.
void note_copy(copy_place place, std::size_t size) noexcept;

/// Bytes copied since the start of the process, by place.
std::array<std::uint64_t, copy_place_count> copied_bytes() noexcept;

}  // namespace dim::runtime
