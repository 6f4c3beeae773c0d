#include "models/model_cache.hpp"

#include <chrono>
#include <map>

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::model_cache;
using runtime::error_code;
namespace fs = std::filesystem;

namespace {

model_cache open_at(const fs::path& folder, std::uint64_t bytes_max) {
  auto opened = model_cache::open({folder, bytes_max});
  REQUIRE(opened.has_value());
  return std::move(*opened);
}

/// Receives `content` as a node would; returns its digest.
std::string receive(model_cache& cache, const std::string& content) {
  const std::string digest = runtime::sha256_hex(content);
  REQUIRE(cache.begin(digest, content.size()).has_value());
  const std::size_t half = content.size() / 2;
  REQUIRE(cache.append(digest, 0, content.substr(0, half)).has_value());
  REQUIRE(cache.append(digest, half, content.substr(half)).has_value());
  REQUIRE(cache.commit(digest).has_value());
  return digest;
}

std::string content_of(char letter) {
  return std::string(10, letter);
}

}  // namespace

TEST_CASE("a received file is found under its digest, also after a restart") {
  const tests::temporary_folder folder;
  std::string digest;
  {
    auto cache = open_at(folder / "cache", 100);
    CHECK_FALSE(cache.lookup(runtime::sha256_hex("model")).has_value());
    digest = receive(cache, "model");
    const auto path = cache.lookup(digest);
    REQUIRE(path.has_value());
    CHECK(models::read_text(*path, 100).value() == "model");
    CHECK(path->filename() == digest + ".pt");
  }
  auto cache = open_at(folder / "cache", 100);
  CHECK(cache.lookup(digest).has_value());
  CHECK(cache.used_bytes() == 5);
  CHECK(cache.digests() == std::vector<std::string>{digest});
}

TEST_CASE("the least recently used file goes first, also by the order before a restart") {
  const tests::temporary_folder folder;
  std::string a;
  std::string b;
  {
    auto cache = open_at(folder.path(), 30);
    a = receive(cache, content_of('a'));
    b = receive(cache, content_of('b'));
    CHECK(cache.lookup(a).has_value());
  }
  // What `lookup` sets is too close to what `commit` set for a coarse clock.
  const auto time = fs::last_write_time(folder / (a + ".pt"));
  fs::last_write_time(folder / (b + ".pt"), time - std::chrono::seconds{5});
  auto cache = open_at(folder.path(), 30);
  const auto c = receive(cache, content_of('c'));
  const auto d = receive(cache, content_of('d'));
  CHECK_FALSE(cache.lookup(b).has_value());
  CHECK_FALSE(fs::exists(folder / (b + ".pt")));
  CHECK(cache.lookup(a).has_value());
  const auto e = receive(cache, content_of('e'));
  CHECK_FALSE(cache.lookup(c).has_value());
  CHECK(cache.lookup(d).has_value());
  CHECK(cache.lookup(e).has_value());
  CHECK(cache.used_bytes() == 30);
}

TEST_CASE("a lookup is written into the file's time, for the next start") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 30);
  const auto path = folder.path() / (receive(cache, content_of('a')) + ".pt");
  const auto long_ago = fs::last_write_time(path) - std::chrono::hours{1};
  fs::last_write_time(path, long_ago);
  REQUIRE(cache.lookup(path.stem().string()).has_value());
  CHECK(fs::last_write_time(path) > long_ago);
}

TEST_CASE("a pinned file stays, and a file that would need its room is refused") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 20);
  const auto a = receive(cache, content_of('a'));
  const auto b = receive(cache, content_of('b'));
  REQUIRE(cache.pin(a).has_value());
  REQUIRE(cache.pin(a).has_value());
  const auto c = receive(cache, content_of('c'));
  CHECK(cache.lookup(a).has_value());
  CHECK_FALSE(cache.lookup(b).has_value());
  REQUIRE(cache.pin(c).has_value());
  const std::string d = runtime::sha256_hex(content_of('d'));
  CHECK(cache.begin(d, 10).error().code == error_code::store_full);
  CHECK(cache.digests().size() == 2);
  cache.unpin(a);
  CHECK(cache.begin(d, 10).error().code == error_code::store_full);
  cache.unpin(a);
  CHECK(cache.begin(d, 10).has_value());
  CHECK_FALSE(cache.lookup(a).has_value());
  CHECK(cache.pin(a).error().code == error_code::not_found);
}

TEST_CASE("nothing is evicted for a file that would not fit in the end") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 20);
  const auto a = receive(cache, content_of('a'));
  const auto b = receive(cache, content_of('b'));
  REQUIRE(cache.pin(a).has_value());
  CHECK(cache.begin(runtime::sha256_hex("x"), 15).error().code == error_code::store_full);
  CHECK(cache.begin(runtime::sha256_hex("x"), 21).error().code == error_code::too_large);
  CHECK(cache.lookup(b).has_value());
}

TEST_CASE("room is kept for files on their way") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 20);
  const std::string a = runtime::sha256_hex(content_of('a'));
  REQUIRE(cache.begin(a, 15).has_value());
  CHECK(cache.begin(runtime::sha256_hex("b"), 6).error().code == error_code::store_full);
  CHECK(cache.begin(a, 15).error().code == error_code::conflict);
  cache.abandon(a);
  CHECK(cache.begin(runtime::sha256_hex("b"), 6).has_value());
}

TEST_CASE("bytes with another digest or size never become visible") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 100);
  const std::string digest = runtime::sha256_hex("model");
  REQUIRE(cache.begin(digest, 5).has_value());
  REQUIRE(cache.append(digest, 0, "MODEL").has_value());
  CHECK(cache.commit(digest).error().code == error_code::corrupt);
  REQUIRE(cache.begin(digest, 5).has_value());
  REQUIRE(cache.append(digest, 0, "mod").has_value());
  CHECK(cache.commit(digest).error().code == error_code::corrupt);
  REQUIRE(cache.begin(digest, 5).has_value());
  CHECK(cache.append(digest, 0, "models").error().code == error_code::corrupt);
  REQUIRE(cache.begin(digest, 5).has_value());
  CHECK(cache.append(digest, 1, "odel").error().code == error_code::bad_input);
  CHECK(cache.append(digest, 0, "model").error().code == error_code::not_found);
  CHECK(cache.commit(digest).error().code == error_code::not_found);
  CHECK(cache.begin("../../etc/passwd", 5).error().code == error_code::bad_input);
  CHECK_FALSE(cache.lookup(digest).has_value());
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a start removes what a dead process has left half received") {
  const tests::temporary_folder folder;
  const std::string digest = runtime::sha256_hex("model");
  tests::write_file(folder / (digest + ".part"), "mod");
  tests::write_file(folder / "notes.txt", "not ours");
  auto cache = open_at(folder.path(), 100);
  CHECK_FALSE(fs::exists(folder / (digest + ".part")));
  CHECK(fs::exists(folder / "notes.txt"));
  CHECK(cache.begin(digest, 5).has_value());
}

TEST_CASE("a start with a lower limit evicts down to it") {
  const tests::temporary_folder folder;
  {
    auto cache = open_at(folder.path(), 100);
    receive(cache, content_of('a'));
    receive(cache, content_of('b'));
    receive(cache, content_of('c'));
  }
  const auto cache = open_at(folder.path(), 15);
  CHECK(cache.used_bytes() == 10);
  CHECK(cache.digests().size() == 1);
}

TEST_CASE("a file that was removed behind the cache's back is forgotten") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 100);
  const auto digest = receive(cache, "model");
  fs::remove(folder / (digest + ".pt"));
  CHECK_FALSE(cache.lookup(digest).has_value());
  CHECK(cache.used_bytes() == 0);
  CHECK(receive(cache, "model") == digest);
}

TEST_CASE("a damaged file is dropped and may be received again") {
  const tests::temporary_folder folder;
  auto cache = open_at(folder.path(), 100);
  const auto digest = receive(cache, "model");
  REQUIRE(cache.pin(digest).has_value());
  cache.drop(digest);
  cache.drop(digest);
  cache.unpin(digest);
  CHECK(cache.used_bytes() == 0);
  CHECK(receive(cache, "model") == digest);
}

TEST_CASE("whatever is asked, the limit holds, pins hold, and the folder is what the cache says") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    const tests::temporary_folder folder;
    constexpr std::uint64_t limit = 200;
    auto cache = open_at(folder.path(), limit);
    std::map<std::string, int> pins;
    for (int step = 0; step < 60; ++step) {
      const std::string content(1 + random.below(60), static_cast<char>('a' + random.below(20)));
      const std::string digest = runtime::sha256_hex(content);
      if (random.below(3) > 0 && cache.begin(digest, content.size()).has_value()) {
        REQUIRE(cache.append(digest, 0, content).has_value());
        REQUIRE(cache.commit(digest).has_value());
      } else if (cache.pin(digest).has_value()) {
        ++pins[digest];
      }
      if (!pins.empty() && random.below(4) == 0) {
        cache.unpin(pins.begin()->first);
        if (--pins.begin()->second == 0)
          pins.erase(pins.begin());
      }
      std::uint64_t on_disk = 0;
      for (const auto& entry : fs::directory_iterator(folder.path()))
        on_disk += entry.file_size();
      REQUIRE(on_disk == cache.used_bytes());
      REQUIRE(on_disk <= limit);
      for (const auto& [pinned, count] : pins)
        REQUIRE(fs::exists(folder / (pinned + ".pt")));
    }
  }
}
