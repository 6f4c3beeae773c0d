#include "actors/node/chunk_transfer.hpp"

#include <algorithm>
#include <string>

namespace dim::actors {

chunk_transfer::chunk_transfer(std::uint64_t byte_size, std::uint32_t window,
                               std::uint32_t attempts_max)
  : byte_size_(byte_size), window_(std::max(1u, window)), attempts_max_(attempts_max) {
}

std::uint32_t chunk_transfer::length_at(std::uint64_t offset) const noexcept {
  return static_cast<std::uint32_t>(
    std::min<std::uint64_t>(chunk_bytes_max, byte_size_ - offset));
}

std::optional<chunk_wish> chunk_transfer::next() {
  if (!to_repeat_.empty() && asked_.size() < window_) {
    auto offset = *to_repeat_.begin();
    to_repeat_.erase(to_repeat_.begin());
    asked_.insert(offset);
    return chunk_wish{offset, length_at(offset)};
  }
  // Chunks that came early hold memory as those on their way will: both count.
  if (never_asked_from_ == byte_size_ ||
      asked_.size() + to_repeat_.size() + early_.size() >= window_)
    return std::nullopt;
  auto wish = chunk_wish{never_asked_from_, length_at(never_asked_from_)};
  never_asked_from_ += wish.length;
  asked_.insert(wish.offset);
  return wish;
}

runtime::expected<std::vector<file_part>> chunk_transfer::arrived(std::uint64_t offset,
                                                                  runtime::bytes data) {
  std::vector<file_part> result;
  if (asked_.erase(offset) + to_repeat_.erase(offset) == 0)
    return result;
  if (data.size() != length_at(offset))
    return runtime::fail(runtime::error_code::corrupt,
                         "asked for " + std::to_string(length_at(offset)) + " bytes at " +
                           std::to_string(offset) + ", got " + std::to_string(data.size()));
  early_.emplace(offset, std::move(data));
  while (!early_.empty() && early_.begin()->first == appended_) {
    auto first = early_.extract(early_.begin());
    appended_ += first.mapped().size();
    result.push_back({first.key(), std::move(first.mapped())});
  }
  return result;
}

bool chunk_transfer::failed(std::uint64_t offset) {
  if (asked_.erase(offset) == 0)
    return true;
  to_repeat_.insert(offset);
  return ++failures_[offset] < attempts_max_;
}

void chunk_transfer::restart_asked() {
  to_repeat_.merge(asked_);
  asked_.clear();
}

}  // namespace dim::actors
