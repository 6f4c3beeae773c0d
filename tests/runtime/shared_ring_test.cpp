#include "runtime/shared_ring.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#include "runtime/shared_channel.hpp"

using dim::runtime::shared_channel;
using dim::runtime::shared_ring;

namespace {

constexpr std::size_t capacity = 64;
/// What passes a whole channel.
constexpr std::size_t total = 8 << 20;

/// Both sides of a small ring.
struct both_sides {
  struct alignas(64) memory {
    char bytes[shared_ring::memory_for(capacity)] = {};
  };

  /// Writes and shows it; what went in.
  std::size_t put(const std::string& text) {
    auto count = writer.write(text.data(), text.size());
    was_reader_asleep = writer.publish();
    return count;
  }

  /// Reads and gives the room back.
  std::string take(std::size_t size) {
    std::string text(size, '\0');
    text.resize(reader.read(text.data(), size));
    was_writer_asleep = reader.release();
    return text;
  }

  memory place;
  shared_ring writer{place.bytes, capacity};
  shared_ring reader{place.bytes, capacity};
  bool was_reader_asleep = false;
  bool was_writer_asleep = false;
};

}  // namespace

TEST_CASE("a ring gives back what was put in, in order, across its end") {
  both_sides f;
  std::string expected;
  std::string taken;
  for (int turn = 0; turn < 100; ++turn) {
    std::string text(static_cast<std::size_t>(turn % 37), static_cast<char>('a' + turn % 26));
    CHECK(f.put(text) == text.size());
    expected += text;
    taken += f.take(text.size() + 5);
  }
  CHECK(taken == expected);
  CHECK(f.reader.input() == 0);
}

TEST_CASE("a ring takes no more than there is room for, and has room again for what was released") {
  both_sides f;
  CHECK(f.put(std::string(100, 'x')) == capacity);
  CHECK_FALSE(f.writer.has_room());
  CHECK(f.put("y") == 0);
  CHECK(f.take(10).size() == 10);
  CHECK(f.writer.has_room());
  CHECK(f.put(std::string(100, 'y')) == 10);
  CHECK(f.take(100) == std::string(54, 'x') + std::string(10, 'y'));
}

TEST_CASE("what is not published is not seen") {
  both_sides f;
  CHECK(f.writer.write("abc", 3) == 3);
  CHECK_FALSE(f.reader.has_input());
  CHECK(f.take(3).empty());
  CHECK_FALSE(f.writer.publish());
  CHECK(f.reader.has_input());
  CHECK(f.take(3) == "abc");
}

TEST_CASE("a writer wakes a reader that waits, once, and none that is awake") {
  both_sides f;
  f.put("a");
  CHECK_FALSE(f.was_reader_asleep);
  f.reader.expect_input();
  f.put("b");
  CHECK(f.was_reader_asleep);
  f.put("c");
  CHECK_FALSE(f.was_reader_asleep);
  f.reader.expect_input();
  f.reader.expect_no_input();
  f.put("d");
  CHECK_FALSE(f.was_reader_asleep);
}

TEST_CASE("a reader wakes a writer that waits for room, and a writer sees room that is there") {
  both_sides f;
  CHECK(f.writer.expect_room());
  f.put(std::string(capacity, 'x'));
  CHECK_FALSE(f.writer.expect_room());
  f.take(1);
  CHECK(f.was_writer_asleep);
  f.take(1);
  CHECK_FALSE(f.was_writer_asleep);
}

TEST_CASE("a ring whose numbers make no sense is broken for good") {
  both_sides f;
  // The written number is the first of the shared part.
  std::uint64_t wrong = capacity + 1;
  std::memcpy(f.place.bytes, &wrong, sizeof(wrong));
  CHECK(f.reader.input() == 0);
  CHECK(f.reader.is_broken());
  wrong = 1;
  std::memcpy(f.place.bytes, &wrong, sizeof(wrong));
  CHECK(f.take(1).empty());
  CHECK(f.reader.is_broken());
}

TEST_CASE("two threads that sleep at each end of a channel pass all bytes") {
  auto made = shared_channel::make();
  REQUIRE(made);
  auto& channel = **made;
  auto copy = [](const dim::runtime::descriptor& from) {
    return dim::runtime::descriptor{::dup(from.number())};
  };
  auto& held = channel.descriptors();
  auto joined =
    shared_channel::join({copy(held.memory), copy(held.maker_bell), copy(held.guest_bell)});
  REQUIRE(joined);
  auto& guest = **joined;
  std::thread reader{[&guest] {
    auto& ring = guest.incoming();
    std::vector<unsigned char> block(4'096);
    std::size_t count = 0;
    auto is_right = true;
    while (count < total) {
      ring.expect_input();
      if (!ring.has_input())
        guest.wait();
      while (auto size = ring.read(reinterpret_cast<char*>(block.data()), block.size())) {
        for (std::size_t place = 0; place < size; ++place)
          is_right = is_right && block[place] == (count + place) % 251;
        count += size;
        if (ring.release())
          guest.ring_peer();
      }
    }
    CHECK(is_right);
    CHECK(count == total);
  }};

  auto& ring = channel.outgoing();
  std::vector<unsigned char> block(10'000);
  for (std::size_t count = 0; count < total;) {
    auto wanted = std::min(block.size(), total - count);
    for (std::size_t place = 0; place < wanted; ++place)
      block[place] = static_cast<unsigned char>((count + place) % 251);
    auto size = ring.write(reinterpret_cast<char*>(block.data()), wanted);
    count += size;
    if (ring.publish())
      channel.ring_peer();
    if (size < wanted && !ring.expect_room())
      channel.wait();
  }
  reader.join();
}

TEST_CASE("memory of another size is no channel") {
  auto made = shared_channel::make();
  REQUIRE(made);
  dim::runtime::descriptor none{::dup((*made)->descriptors().maker_bell.number())};
  auto joined = shared_channel::join(
    {std::move(none), dim::runtime::descriptor{}, dim::runtime::descriptor{}});
  REQUIRE_FALSE(joined);
  CHECK(joined.error().code == dim::runtime::error_code::unavailable);
}
