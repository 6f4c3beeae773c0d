#include "runtime/copy_count.hpp"

#include <atomic>

namespace dim::runtime {

namespace {

std::array<std::atomic<std::uint64_t>, copy_place_count> counters;

}  // namespace

std::string_view to_string(copy_place place) noexcept {
  constexpr std::array<std::string_view, copy_place_count> names{
    "encode", "decode", "store_write", "store_read", "gather", "batch", "model_output"};
  return names[static_cast<std::size_t>(place)];
}

void note_copy(copy_place place, std::size_t size) noexcept {
  if (size >= counted_bytes_min)
    counters[static_cast<std::size_t>(place)].fetch_add(size, std::memory_order_relaxed);
}

std::array<std::uint64_t, copy_place_count> copied_bytes() noexcept {
  std::array<std::uint64_t, copy_place_count> result{};
  for (std::size_t index = 0; index < copy_place_count; ++index)
    result[index] = counters[index].load(std::memory_order_relaxed);
  return result;
}

}  // namespace dim::runtime
