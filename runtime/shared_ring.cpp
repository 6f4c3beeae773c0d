#include "runtime/shared_ring.hpp"

#include <algorithm>
#include <cstring>

namespace dim::runtime {

// Who sleeps writes its flag and then looks at the other's number; the other writes its number and
// then looks at the flag. One of them sees the other, since all four are sequentially consistent.

shared_ring::shared_ring(char* memory, std::size_t capacity) noexcept
  : shared_(reinterpret_cast<control*>(memory)),
    bytes_(memory + sizeof(control)),
    capacity_(capacity) {
}

std::size_t shared_ring::between(std::uint64_t front, std::uint64_t back) noexcept {
  auto distance = front - back;
  if (is_broken_ || distance > capacity_) {
    is_broken_ = true;
    return 0;
  }
  return static_cast<std::size_t>(distance);
}

std::size_t shared_ring::room() noexcept {
  seen_taken_ = shared_->taken.load();
  auto used = between(written_, seen_taken_);
  return is_broken_ ? 0 : capacity_ - used;
}

std::size_t shared_ring::write(const char* data, std::size_t size) noexcept {
  auto free = is_broken_ ? 0 : capacity_ - between(written_, seen_taken_);
  if (free < size)
    free = room();
  auto count = std::min(size, free);
  auto place = static_cast<std::size_t>(written_ & (capacity_ - 1));
  auto first = std::min(count, capacity_ - place);
  if (first > 0)
    std::memcpy(bytes_ + place, data, first);
  if (count > first)
    std::memcpy(bytes_, data + first, count - first);
  written_ += count;
  return count;
}

bool shared_ring::publish() noexcept {
  shared_->written.store(written_);
  return shared_->reader_waits.load() != 0 && shared_->reader_waits.exchange(0) != 0;
}

bool shared_ring::expect_room() noexcept {
  shared_->writer_waits.store(1);
  return room() > 0;
}

std::size_t shared_ring::input() noexcept {
  seen_written_ = shared_->written.load();
  return between(seen_written_, taken_);
}

std::size_t shared_ring::read(char* data, std::size_t size) noexcept {
  auto there = between(seen_written_, taken_);
  if (there < size)
    there = input();
  auto count = std::min(size, there);
  auto place = static_cast<std::size_t>(taken_ & (capacity_ - 1));
  auto first = std::min(count, capacity_ - place);
  if (first > 0)
    std::memcpy(data, bytes_ + place, first);
  if (count > first)
    std::memcpy(data + first, bytes_, count - first);
  taken_ += count;
  return count;
}

bool shared_ring::release() noexcept {
  shared_->taken.store(taken_);
  return shared_->writer_waits.load() != 0 && shared_->writer_waits.exchange(0) != 0;
}

void shared_ring::expect_input() noexcept {
  shared_->reader_waits.store(1);
}

void shared_ring::expect_no_input() noexcept {
  shared_->reader_waits.store(0);
}

}  // namespace dim::runtime
