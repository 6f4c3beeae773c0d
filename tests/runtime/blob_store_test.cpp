#include "runtime/blob_store.hpp"

#include <fstream>
#include <set>

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim::runtime;
using dim::tests::temporary_folder;

namespace {

constexpr std::int64_t now = 1'763'652'000'000;

blob_store open_in(const temporary_folder& folder) {
  auto opened = blob_store::open(folder / "blobs", true);
  REQUIRE(opened);
  return *opened;
}

std::string put(const blob_store& blobs, const std::string& text, std::int64_t at) {
  const auto digest = sha256_hex(text);
  REQUIRE(blobs.write(digest, text, at));
  return digest;
}

}  // namespace

TEST_CASE("a blob is read back whole, in chunks and at its end") {
  const temporary_folder folder;
  const auto blobs = open_in(folder);
  const auto digest = put(blobs, "0123456789", now);
  CHECK(blobs.exists(digest));
  const auto whole = blobs.read_chunk(digest, 0, 1 << 20);
  REQUIRE(whole);
  CHECK(whole->data.view() == "0123456789");
  CHECK(whole->total_size == 10);
  CHECK(blobs.read_chunk(digest, 3, 4)->data.view() == "3456");
  CHECK(blobs.read_chunk(digest, 8, 4)->data.view() == "89");
  CHECK(blobs.read_chunk(digest, 10, 4)->data.view() == "");
  CHECK(blobs.read_chunk(digest, 11, 4).error().code == error_code::bad_input);
  CHECK(blobs.read_chunk(digest, ~std::uint64_t{0}, 4).error().code == error_code::bad_input);
}

TEST_CASE("what is no digest is refused, and an unknown digest is not found") {
  const temporary_folder folder;
  const auto blobs = open_in(folder);
  for (const char* name : {"", "..", "../../etc/passwd", "ABCDEF"}) {
    CHECK(blobs.write(name, "x", now).error().code == error_code::bad_input);
    CHECK(blobs.read_chunk(name, 0, 1).error().code == error_code::bad_input);
    CHECK(blobs.remove(name).error().code == error_code::bad_input);
    CHECK_FALSE(blobs.exists(name));
  }
  const auto digest = sha256_hex("never written");
  CHECK(blobs.read_chunk(digest, 0, 1).error().code == error_code::not_found);
  CHECK(blobs.remove(digest));
}

TEST_CASE("the list names every blob once, and none that is unfinished") {
  const temporary_folder folder;
  const auto blobs = open_in(folder);
  std::set<std::string> written;
  for (int number = 0; number < 50; ++number)
    written.insert(put(blobs, "blob " + std::to_string(number), now));
  put(blobs, "blob 7", now);
  const auto name = *written.begin();
  std::ofstream(folder.path() / "blobs" / name.substr(0, 2) / (sha256_hex("x") + ".unfinished"))
    << "half";
  const auto list = blobs.list();
  REQUIRE(list);
  std::set<std::string> listed;
  for (const auto& blob : *list) {
    listed.insert(blob.digest);
    CHECK(blob.written_at == now);
    CHECK(blob.byte_size >= 6);
  }
  CHECK(listed == written);
  CHECK(list->size() == 50);
}

TEST_CASE("a file of another size, left by a crash of the disk, is written again") {
  const temporary_folder folder;
  const auto blobs = open_in(folder);
  const auto digest = put(blobs, "all of it", now);
  std::ofstream(folder.path() / "blobs" / digest.substr(0, 2) / digest, std::ios::trunc) << "all";
  put(blobs, "all of it", now);
  CHECK(blobs.read_chunk(digest, 0, 100)->data.view() == "all of it");
}

TEST_CASE("collection takes what is old and unreferenced, and nothing else") {
  const temporary_folder folder;
  const auto blobs = open_in(folder);
  const auto old_referenced = put(blobs, "old, referenced", now - 1000);
  const auto old_orphan = put(blobs, "old, orphan", now - 1000);
  const auto young_orphan = put(blobs, "young, orphan", now);
  const auto named_again = put(blobs, "old, named again", now - 1000);
  put(blobs, "old, named again", now);
  const auto unfinished
    = folder.path() / "blobs" / old_orphan.substr(0, 2) / (sha256_hex("y") + ".unfinished");
  std::ofstream(unfinished) << "half";
  const auto long_ago
    = std::filesystem::file_time_type::clock::now() - std::chrono::hours(24 * 4000);
  std::filesystem::last_write_time(unfinished, long_ago);
  const auto removed = blobs.collect_unreferenced(
    [&](const std::string& digest) { return digest == old_referenced; }, now - 10);
  CHECK(removed == 1);
  CHECK(blobs.exists(old_referenced));
  CHECK_FALSE(blobs.exists(old_orphan));
  CHECK(blobs.exists(young_orphan));
  CHECK(blobs.exists(named_again));
  CHECK_FALSE(std::filesystem::exists(unfinished));
}

TEST_CASE("a folder that can not be written to is told as a failure") {
  const temporary_folder folder;
  std::ofstream(folder / "file") << "in the way";
  CHECK(blob_store::open(folder.path() / "file" / "blobs", true).error().code
        == error_code::internal);
}
