#include "runtime/store.hpp"

#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>

#include <doctest/doctest.h>

#include "runtime/store_check.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim::runtime;
using dim::tests::temporary_folder;

namespace {

store_settings settings_in(const std::filesystem::path& folder) {
  store_settings settings;
  settings.folder = folder;
  settings.map_bytes = 64 << 20;
  settings.sync = false;
  settings.tables = {"fruit", "tools"};
  return settings;
}

std::unique_ptr<store> open_in(const std::filesystem::path& folder) {
  auto opened = store::open(settings_in(folder));
  REQUIRE_MESSAGE(opened, (opened ? "" : opened.error().message));
  return std::move(*opened);
}

void put(store& database, std::string_view key, std::string_view value) {
  const auto done
    = database.write([&](write_transaction& changes) { return changes.put("fruit", key, value); });
  REQUIRE(done);
}

std::optional<std::string> get(store& database, std::string_view key) {
  auto snapshot = database.read();
  REQUIRE(snapshot);
  auto value = snapshot->get("fruit", key);
  REQUIRE(value);
  if (!*value)
    return std::nullopt;
  return std::string(**value);
}

std::vector<std::string> keys_of(store& database, const key_range& keys) {
  std::vector<std::string> found;
  auto snapshot = database.read();
  REQUIRE(snapshot);
  REQUIRE(snapshot->range("fruit", keys, [&](std::string_view key, std::string_view) {
    found.emplace_back(key);
    return true;
  }));
  return found;
}

/// Flips one bit of the database file where `marker` stands.
void damage(const std::filesystem::path& folder, const std::string& marker) {
  const auto file = folder / "data.mdb";
  std::ifstream input(file, std::ios::binary);
  std::string content{std::istreambuf_iterator<char>(input), {}};
  auto place = content.find(marker);
  REQUIRE(place != std::string::npos);
  // Older versions of the page may hold the value, too.
  for (; place != std::string::npos; place = content.find(marker, place))
    content[place] ^= 1;
  std::ofstream(file, std::ios::binary) << content;
}

}  // namespace

TEST_CASE("what was committed is there after the store is opened again") {
  const temporary_folder folder;
  {
    auto database = open_in(folder / "db");
    put(*database, "apple", "green");
    put(*database, "pear", "");
  }
  auto database = open_in(folder / "db");
  CHECK(get(*database, "apple") == "green");
  CHECK(get(*database, "pear") == "");
  CHECK(get(*database, "plum") == std::nullopt);
}

TEST_CASE("a write that fails changes nothing") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  put(*database, "apple", "green");
  const auto before = database->commits();
  const auto done = database->write([](write_transaction& changes) -> expected<void> {
    REQUIRE(changes.put("fruit", "apple", "red"));
    REQUIRE(changes.put("tools", "saw", "sharp"));
    REQUIRE(changes.erase("fruit", "apple"));
    return fail(error_code::conflict, "no");
  });
  CHECK(done.error().code == error_code::conflict);
  CHECK(database->commits() == before);
  CHECK(get(*database, "apple") == "green");
  CHECK(database->read()->count("tools") == 0);
}

TEST_CASE("put_absent and compare_and_put write only under their condition") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  REQUIRE(database->write([](write_transaction& changes) -> expected<void> {
    CHECK(changes.put_absent("fruit", "apple", "green") == true);
    CHECK(changes.put_absent("fruit", "apple", "red") == false);
    CHECK(changes.compare_and_put("fruit", "apple", "red", "blue") == false);
    CHECK(changes.compare_and_put("fruit", "apple", "green", "yellow") == true);
    CHECK(changes.compare_and_put("fruit", "plum", "x", "blue") == false);
    CHECK(changes.erase("fruit", "plum") == false);
    return {};
  }));
  CHECK(get(*database, "apple") == "yellow");
}

TEST_CASE("keys that the engine can not hold, and unknown tables, are refused") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  REQUIRE(database->write([](write_transaction& changes) -> expected<void> {
    CHECK(changes.put("fruit", "", "x").error().code == error_code::bad_input);
    CHECK(changes.put("fruit", std::string(512, 'k'), "x").error().code == error_code::bad_input);
    CHECK(changes.put("cars", "k", "x").error().code == error_code::internal);
    CHECK(changes.put("fruit", std::string(511, 'k'), "x"));
    return {};
  }));
}

TEST_CASE("a range visits its keys in both directions, from a start and under a prefix") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  for (const char* key : {"a1", "a3", "a5", "b1", "b2", "\xff\xff"})
    put(*database, key, "v");
  using list = std::vector<std::string>;
  CHECK(keys_of(*database, {}) == list{"a1", "a3", "a5", "b1", "b2", "\xff\xff"});
  CHECK(keys_of(*database, {"", "", true}) == list{"\xff\xff", "b2", "b1", "a5", "a3", "a1"});
  CHECK(keys_of(*database, {"a"}) == list{"a1", "a3", "a5"});
  CHECK(keys_of(*database, {"a", "", true}) == list{"a5", "a3", "a1"});
  CHECK(keys_of(*database, {"a", "a3"}) == list{"a3", "a5"});
  CHECK(keys_of(*database, {"a", "a2"}) == list{"a3", "a5"});
  CHECK(keys_of(*database, {"a", "a3", true}) == list{"a3", "a1"});
  CHECK(keys_of(*database, {"a", "a4", true}) == list{"a3", "a1"});
  CHECK(keys_of(*database, {"a", "b9", true}) == list{"a5", "a3", "a1"});
  CHECK(keys_of(*database, {"\xff", "", true}) == list{"\xff\xff"});
  CHECK(keys_of(*database, {"b", "a9"}) == list{"b1", "b2"});
  CHECK(keys_of(*database, {"c"}).empty());
  CHECK(keys_of(*database, {"A", "", true}).empty());
}

TEST_CASE("a snapshot sees what was there when it began, in any thread") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  put(*database, "apple", "green");
  auto before = database->read();
  auto also_before = database->read();
  REQUIRE(before);
  REQUIRE(also_before);
  put(*database, "apple", "red");
  CHECK(*before->get("fruit", "apple").value() == "green");
  std::string seen;
  std::thread([&, snapshot = std::move(*also_before)] {
    seen = *snapshot.get("fruit", "apple").value();
  }).join();
  CHECK(seen == "green");
  CHECK(get(*database, "apple") == "red");
}

TEST_CASE("a flipped bit in a value is found, and the store then only reads") {
  const temporary_folder folder;
  {
    auto database = open_in(folder / "db");
    put(*database, "apple", "a value to be damaged");
    put(*database, "pear", "a whole one");
  }
  damage(folder / "db", "a value to be damaged");
  auto database = open_in(folder / "db");
  CHECK(database->health() == error_code::none);
  CHECK(database->read()->get("fruit", "apple").error().code == error_code::store_corrupt);
  CHECK(database->health() == error_code::store_corrupt);
  CHECK(get(*database, "pear") == "a whole one");
  const auto refused
    = database->write([](write_transaction& changes) { return changes.put("fruit", "k", "v"); });
  CHECK(refused.error().code == error_code::store_corrupt);
}

TEST_CASE("the check finds a damaged value, and nothing in a whole store or an empty folder") {
  const temporary_folder folder;
  CHECK(check_in_this_process(folder / "db"));
  {
    auto database = open_in(folder / "db");
    put(*database, "apple", "a value to be damaged");
    CHECK(check_in_this_process(folder / "db").error().code == error_code::unavailable);
  }
  CHECK(check_in_this_process(folder / "db"));
  CHECK(report_store_check(folder / "db") == 0);
  CHECK(check_apart(folder / "db", std::chrono::seconds{20}));
  damage(folder / "db", "a value to be damaged");
  CHECK(check_in_this_process(folder / "db").error().code == error_code::store_corrupt);
  CHECK(report_store_check(folder / "db") == 3);
  const auto damaged = check_apart(folder / "db", std::chrono::seconds{20});
  CHECK(damaged.error().code == error_code::store_corrupt);
}

TEST_CASE("the end of the copy that checks tells how the store is") {
  CHECK(verdict_of({0, 0, false, ""}));
  CHECK(verdict_of({3, 0, false, "broken page\n"}).error()
        == failure{error_code::store_corrupt, "broken page\n", {}});
  CHECK(verdict_of({0, SIGBUS, false, ""}).error().code == error_code::store_corrupt);
  CHECK(verdict_of({1, 0, false, "it is open"}).error().code == error_code::unavailable);
  CHECK(verdict_of({0, SIGKILL, true, ""}).error().code == error_code::timeout);
}

TEST_CASE("a full map refuses the write, keeps the old state, and takes writes again when freed") {
  const temporary_folder folder;
  auto settings = settings_in(folder / "db");
  settings.map_bytes = 1 << 20;
  auto opened = store::open(settings);
  REQUIRE(opened);
  auto& database = **opened;
  const std::string block(20'000, 'x');
  std::size_t written = 0;
  expected<void> done;
  while (written < 1000) {
    const auto key = "block " + std::to_string(written);
    done = database.write(
      [&](write_transaction& changes) { return changes.put("fruit", key, block); });
    if (!done)
      break;
    ++written;
  }
  REQUIRE_FALSE(done);
  CHECK(done.error().code == error_code::store_full);
  CHECK(database.health() == error_code::store_full);
  CHECK(database.read()->count("fruit") == written);
  CHECK(get(database, "block 0") == block);
  for (std::size_t number = 0; number < written; ++number)
    REQUIRE(database.write(
      [&](write_transaction& changes) -> expected<void> {
        CHECK(changes.erase("fruit", "block " + std::to_string(number)) == true);
        return {};
      },
      write_purpose::reclaim));
  put(database, "block", block);
  CHECK(database.health() == error_code::none);
}

TEST_CASE("a single write larger than the map is refused and the next small one goes through") {
  const temporary_folder folder;
  auto settings = settings_in(folder / "db");
  settings.map_bytes = 1 << 20;
  auto opened = store::open(settings);
  REQUIRE(opened);
  const std::string huge(4 << 20, 'x');
  const auto done = (*opened)->write(
    [&](write_transaction& changes) { return changes.put("fruit", "huge", huge); });
  CHECK(done.error().code == error_code::store_full);
  put(**opened, "small", "value");
  CHECK((*opened)->health() == error_code::none);
}

TEST_CASE("a second process is kept out of the folder") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  CHECK(store::open(settings_in(folder / "db")).error().code == error_code::unavailable);
  database.reset();
  CHECK(store::open(settings_in(folder / "db")));
}

TEST_CASE("a store of an older schema is brought up, step by step, in one transaction") {
  const temporary_folder folder;
  put(*open_in(folder / "db"), "apple", "green");
  auto settings = settings_in(folder / "db");
  settings.schema_version = 3;
  const store_migration second{2, [](write_transaction& changes) {
                                 return changes.put("fruit", "apple", "green and round");
                               }};
  const store_migration first{1, [](write_transaction& changes) -> expected<void> {
                                auto value = changes.get("fruit", "apple");
                                CHECK(*value == "green");
                                return changes.put("tools", "apple", "peeler");
                              }};
  settings.migrations = {second};
  CHECK(store::open(settings).error().code == error_code::unsupported);
  settings.migrations = {second, {1, [](write_transaction& changes) -> expected<void> {
                                    REQUIRE(changes.put("tools", "apple", "half done"));
                                    return fail(error_code::internal, "broke off");
                                  }}};
  CHECK(store::open(settings).error().message == "broke off");
  settings.migrations = {second, first};
  {
    auto opened = store::open(settings);
    REQUIRE(opened);
    CHECK(get(**opened, "apple") == "green and round");
    CHECK(*(*opened)->read()->get("tools", "apple").value() == "peeler");
  }
  settings.migrations.clear();
  CHECK(store::open(settings));
}

TEST_CASE("a store of a newer schema is refused with words") {
  const temporary_folder folder;
  auto settings = settings_in(folder / "db");
  settings.schema_version = 9;
  REQUIRE(store::open(settings));
  const auto refused = store::open(settings_in(folder / "db"));
  CHECK(refused.error().code == error_code::unsupported);
  CHECK(refused.error().message.find("has schema version 9, this program knows 1")
        != std::string::npos);
}

TEST_CASE("a hot copy is a whole store of its own") {
  const temporary_folder folder;
  auto database = open_in(folder / "db");
  put(*database, "apple", "green");
  std::filesystem::create_directory(folder / "copy");
  REQUIRE(database->copy_to(folder / "copy"));
  put(*database, "apple", "red");
  CHECK(check_in_this_process(folder / "copy"));
  CHECK(get(*open_in(folder / "copy"), "apple") == "green");
  CHECK_FALSE(database->copy_to(folder / "nowhere"));
}
