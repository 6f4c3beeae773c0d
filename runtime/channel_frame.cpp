#include "runtime/channel_frame.hpp"

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "runtime/copy_count.hpp"

namespace dim::runtime {

namespace {

/// A part of a frame grows by so much at a time, while its bytes come.
constexpr std::uint64_t growth_bytes = 4 << 20;

void append(std::vector<char>& to, const void* data, std::size_t size) {
  auto* begin = static_cast<const char*>(data);
  to.insert(to.end(), begin, begin + size);
}

}  // namespace

void frame_writer::push(channel_frame frame) {
  open_frame open;
  auto blobs = static_cast<std::uint32_t>(frame.blobs.size());
  std::uint64_t head_bytes = frame.head.size();
  open.sizes.reserve(24 + frame.blobs.size() * sizeof(std::uint64_t));
  append(open.sizes, &frame.number, sizeof(frame.number));
  append(open.sizes, &frame.kind, sizeof(frame.kind));
  append(open.sizes, &blobs, sizeof(blobs));
  append(open.sizes, &head_bytes, sizeof(head_bytes));
  for (auto& each : frame.blobs) {
    std::uint64_t size = each.size();
    append(open.sizes, &size, sizeof(size));
    // The ring takes the place of a link's buffer.
    note_copy(copy_place::encode, each.size());
  }
  open.content = std::move(frame);
  waiting_.push_back(std::move(open));
}

bool frame_writer::flush() {
  if (waiting_.empty())
    return false;
  auto is_blocked = false;
  while (!waiting_.empty() && !is_blocked) {
    if (write_first()) {
      waiting_.pop_front();
      part_ = 0;
    } else {
      // Room that the reader makes from now on it tells of; what it has made just now is used.
      is_blocked = !ring_.expect_room();
    }
  }
  return ring_.publish();
}

bool frame_writer::write_first() {
  auto& [content, sizes] = waiting_.front();
  while (part_ < content.blobs.size() + 2) {
    auto is_written = part_ == 0   ? write_part(sizes.data(), sizes.size())
                      : part_ == 1 ? write_part(content.head.data(), content.head.size())
                                   : write_part(content.blobs[part_ - 2].data(),
                                                content.blobs[part_ - 2].size());
    if (!is_written)
      return false;
    ++part_;
  }
  return true;
}

bool frame_writer::write_part(const char* data, std::size_t size) {
  offset_ += ring_.write(data + offset_, size - offset_);
  if (offset_ < size)
    return false;
  offset_ = 0;
  return true;
}

bool frame_reader::read_part(char* data, std::size_t size) {
  offset_ += ring_.read(data + offset_, size - offset_);
  if (offset_ < size)
    return false;
  offset_ = 0;
  return true;
}

bool frame_reader::read_growing(std::vector<char>& part, std::uint64_t size) {
  for (;;) {
    if (!read_part(part.data(), part.size()))
      return false;
    if (part.size() == size)
      return true;
    // What is there is read; the rest follows behind it.
    offset_ = part.size();
    part.resize(std::min<std::uint64_t>(size, part.size() + growth_bytes));
  }
}

expected<void> frame_reader::make_room_for_sizes() {
  if (fixed_.blobs > frame_blobs_max || fixed_.head_bytes > frame_bytes_max)
    return fail(error_code::corrupt, "a frame of the channel has sizes that can not be");
  sizes_.assign(fixed_.blobs, 0);
  return {};
}

expected<void> frame_reader::make_room_for_blobs() {
  auto total = fixed_.head_bytes;
  for (auto size : sizes_) {
    if (size > frame_bytes_max - total)
      return fail(error_code::corrupt, "a frame of the channel is too large");
    total += size;
  }
  try {
    // Addresses alone: no page of them is taken before it is written to.
    head_.reserve(fixed_.head_bytes);
    blobs_.resize(sizes_.size());
    for (std::size_t place = 0; place < sizes_.size(); ++place)
      blobs_[place].reserve(sizes_[place]);
  } catch (const std::bad_alloc&) {
    return fail(error_code::corrupt, "there is no memory for a frame of the channel");
  }
  return {};
}

expected<bool> frame_reader::advance() {
  if (stage_ == stage::fixed) {
    if (!read_part(reinterpret_cast<char*>(&fixed_), sizeof(fixed_)))
      return false;
    if (auto made = make_room_for_sizes(); !made)
      return tl::unexpected(made.error());
    stage_ = stage::sizes;
  }
  if (stage_ == stage::sizes) {
    if (!read_part(reinterpret_cast<char*>(sizes_.data()),
                   sizes_.size() * sizeof(sizes_.front())))
      return false;
    if (auto made = make_room_for_blobs(); !made)
      return tl::unexpected(made.error());
    stage_ = stage::head;
  }
  if (stage_ == stage::head) {
    if (!read_growing(head_, fixed_.head_bytes))
      return false;
    stage_ = stage::blobs;
    blob_ = 0;
  }
  for (; blob_ < blobs_.size(); ++blob_)
    if (!read_growing(blobs_[blob_], sizes_[blob_]))
      return false;
  stage_ = stage::fixed;
  return true;
}

expected<std::optional<channel_frame>> frame_reader::next() {
  auto whole = advance();
  if (!whole)
    return tl::unexpected(whole.error());
  if (ring_.is_broken())
    return fail(error_code::corrupt, "the channel's ring is broken");
  if (!*whole)
    return std::optional<channel_frame>{};
  channel_frame frame{fixed_.number, fixed_.kind, std::exchange(head_, {}), {}};
  frame.blobs.reserve(blobs_.size());
  for (auto& each : blobs_) {
    note_copy(copy_place::decode, each.size());
    frame.blobs.emplace_back(std::move(each));
  }
  blobs_.clear();
  return std::optional<channel_frame>{std::move(frame)};
}

}  // namespace dim::runtime
