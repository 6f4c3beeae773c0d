#include "runtime/channel_frame.hpp"

#include <doctest/doctest.h>

#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <unistd.h>

#include "runtime/random_source.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim;
using runtime::channel_frame;
using runtime::shared_ring;

namespace {

constexpr std::size_t capacity = 256;

struct frame_way {
  struct alignas(64) memory {
    char bytes[shared_ring::memory_for(capacity)] = {};
  };

  memory place;
  shared_ring out{place.bytes, capacity};
  shared_ring in{place.bytes, capacity};
  runtime::frame_writer writer{out};
  runtime::frame_reader reader{in};
};

std::vector<char> bytes_of(std::size_t size, char seed) {
  std::vector<char> result(size);
  for (std::size_t place = 0; place < size; ++place)
    result[place] = static_cast<char>(seed + static_cast<char>(place * 7));
  return result;
}

/// Memory of this process that is in use, in bytes.
std::uint64_t resident_bytes() {
  std::ifstream statm{"/proc/self/statm"};
  std::uint64_t size = 0;
  std::uint64_t resident = 0;
  statm >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

bool is_same(const channel_frame& one, const channel_frame& other) {
  return one.number == other.number && one.kind == other.kind && one.head == other.head
         && one.blobs == other.blobs;
}

}  // namespace

TEST_CASE("frames of every size come as they were written, also those larger than the ring") {
  auto seed = tests::test_seed();
  CAPTURE(seed);
  runtime::random_source random{seed};
  frame_way f;
  std::vector<channel_frame> sent;
  std::size_t received = 0;
  while (received < 300) {
    if (sent.size() < 300 && random.next() % 3 != 0) {
      channel_frame frame;
      frame.number = random.next();
      frame.kind = static_cast<std::uint32_t>(sent.size());
      frame.head = bytes_of(random.next() % 700, 'h');
      for (auto blobs = random.next() % 4; blobs > 0; --blobs)
        frame.blobs.emplace_back(bytes_of(random.next() % 900, static_cast<char>(blobs)));
      sent.push_back(frame);
      f.writer.push(std::move(frame));
    }
    static_cast<void>(f.writer.flush());
    auto next = f.reader.next();
    REQUIRE(next);
    static_cast<void>(f.in.release());
    if (!*next)
      continue;
    REQUIRE(received < sent.size());
    REQUIRE(is_same(**next, sent[received]));
    ++received;
  }
  CHECK(f.writer.is_done());
  CHECK_FALSE(f.in.has_input());
}

TEST_CASE("a writer that has left something is woken when there is room") {
  frame_way f;
  channel_frame frame;
  frame.head = bytes_of(3 * capacity, 'x');
  f.writer.push(frame);
  static_cast<void>(f.writer.flush());
  CHECK_FALSE(f.writer.is_done());
  auto next = f.reader.next();
  REQUIRE(next);
  CHECK_FALSE(next->has_value());
  CHECK(f.in.release());
}

TEST_CASE("a reader that waits is woken by a frame, and by no look that writes nothing") {
  frame_way f;
  f.in.expect_input();
  CHECK_FALSE(f.writer.flush());
  f.writer.push(channel_frame{1, 2, {}, {}});
  CHECK(f.writer.flush());
}

TEST_CASE("a frame that says it is larger than any can be is damage, and takes no memory") {
  frame_way f;
  // number, kind and number of blobs, size of the head
  std::uint64_t words[3] = {1, 0, runtime::frame_bytes_max + 1};
  REQUIRE(f.out.write(reinterpret_cast<char*>(words), sizeof(words)) == sizeof(words));
  static_cast<void>(f.out.publish());
  auto next = f.reader.next();
  REQUIRE_FALSE(next);
  CHECK(next.error().code == runtime::error_code::corrupt);
}

TEST_CASE("blobs that say they are larger than any frame can be are damage") {
  frame_way f;
  std::uint64_t words[5] = {1, std::uint64_t{2} << 32, 0, ~std::uint64_t{0}, ~std::uint64_t{0}};
  REQUIRE(f.out.write(reinterpret_cast<char*>(words), sizeof(words)) == sizeof(words));
  static_cast<void>(f.out.publish());
  CHECK_FALSE(f.reader.next());
}

TEST_CASE("what a frame says of its size takes no memory before it comes") {
  frame_way f;
  constexpr std::uint64_t said = 1ull << 30;
  std::uint64_t words[4] = {1, std::uint64_t{1} << 32, said, said};
  REQUIRE(f.out.write(reinterpret_cast<char*>(words), sizeof(words)) == sizeof(words));
  static_cast<void>(f.out.publish());
  auto before = resident_bytes();
  auto next = f.reader.next();
  REQUIRE(next);
  CHECK_FALSE(next->has_value());
  CHECK(resident_bytes() < before + said / 8);
}
