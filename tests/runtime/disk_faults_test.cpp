#include "runtime/disk_faults.hpp"

#include <vector>

#include <doctest/doctest.h>

#include "runtime/blob_store.hpp"
#include "runtime/digest.hpp"
#include "runtime/store.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim::runtime;
using dim::tests::temporary_folder;

namespace {

/// A disk whose next writes fare as the test says.
struct scripted_disk {
  write_fate next = write_fate::proceed;
  std::vector<disk_write> asked;
  std::vector<disk_write> written;

  disk_faults faults() {
    return {[this](disk_write what) {
              asked.push_back(what);
              return next;
            },
            [this](disk_write what) { written.push_back(what); }};
  }
};

store_settings settings_in(const temporary_folder& folder, scripted_disk& disk) {
  store_settings settings;
  settings.folder = folder / "db";
  settings.map_bytes = 16 << 20;
  settings.sync = false;
  settings.tables = {"fruit"};
  settings.faults = disk.faults();
  return settings;
}

expected<void> put(store& database, const char* value) {
  return database.write(
    [&](write_transaction& changes) { return changes.put("fruit", "apple", value); });
}

std::string apple_of(const store& database) {
  return std::string(database.read()->get("fruit", "apple").value().value_or("none"));
}

}  // namespace

TEST_CASE("a commit on an injected full disk is refused, undone, and may be tried again") {
  const temporary_folder folder;
  scripted_disk disk;
  auto database = store::open(settings_in(folder, disk)).value();
  REQUIRE(put(*database, "green"));
  disk.next = write_fate::full;
  CHECK(put(*database, "red").error().code == error_code::store_full);
  CHECK(database->health() == error_code::store_full);
  CHECK(apple_of(*database) == "green");
  disk.next = write_fate::proceed;
  CHECK(put(*database, "red"));
  CHECK(database->health() == error_code::none);
  CHECK(apple_of(*database) == "red");
}

TEST_CASE("a lost commit is not there after the store is opened again, and a told one is") {
  const temporary_folder folder;
  scripted_disk disk;
  {
    auto database = store::open(settings_in(folder, disk)).value();
    REQUIRE(put(*database, "green"));
    disk.written.clear();
    disk.next = write_fate::lost;
    CHECK(put(*database, "red").error().code == error_code::internal);
    CHECK(disk.written.empty());
    CHECK(database->health() == error_code::none);
  }
  disk.next = write_fate::proceed;
  CHECK(apple_of(*store::open(settings_in(folder, disk)).value()) == "green");
}

TEST_CASE("the disk is asked once for each write that reaches it, and told when it is there") {
  const temporary_folder folder;
  scripted_disk disk;
  auto database = store::open(settings_in(folder, disk)).value();
  disk.asked.clear();
  disk.written.clear();
  REQUIRE(put(*database, "green"));
  CHECK_FALSE(database->write([](write_transaction&) -> expected<void> {
    return fail(error_code::conflict, "no");
  }));
  REQUIRE(database->write([](write_transaction&) -> expected<void> { return {}; },
                          write_purpose::reclaim));
  const std::vector<disk_write> both{disk_write::commit, disk_write::reclaim};
  CHECK(disk.asked == both);
  CHECK(disk.written == both);
}

TEST_CASE("a blob on an injected full disk is not there, and is written when there is room") {
  const temporary_folder folder;
  scripted_disk disk;
  const auto blobs = blob_store::open(folder / "blobs", false, disk.faults()).value();
  const auto digest = sha256_hex("payload");
  disk.next = write_fate::full;
  CHECK(blobs.write(digest, "payload", 1).error().code == error_code::store_full);
  disk.next = write_fate::lost;
  CHECK(blobs.write(digest, "payload", 1).error().code == error_code::internal);
  CHECK_FALSE(blobs.exists(digest));
  disk.next = write_fate::proceed;
  CHECK(blobs.write(digest, "payload", 1));
  CHECK(blobs.exists(digest));
  CHECK(disk.written == std::vector<disk_write>{disk_write::blob});
}
