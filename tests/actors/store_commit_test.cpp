#include "actors/store/job_store.hpp"

#include <fstream>
#include <iterator>
#include <numeric>

#include <doctest/doctest.h>

#include "actors/store/job_reader.hpp"
#include "tests/actors/store_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

change put_node(const std::string& key, const std::string& value) {
  return {change_kind::put, tables::nodes, key, runtime::bytes::copy_of(value)};
}

commit_changes one_change(change what) {
  commit_changes changes;
  changes.changes.push_back(std::move(what));
  return changes;
}

std::string stored(store_fixture& f, const std::string& key) {
  auto snapshot = f.database->read();
  return std::string(snapshot->get(tables::nodes, key).value().value_or("nothing"));
}

std::vector<std::uint64_t> event_numbers(store_fixture& f) {
  std::vector<std::uint64_t> numbers;
  const auto list = read_events_after(*f.database->read(), 0, 1'000'000);
  for (const auto& fact : list->events)
    numbers.push_back(fact.number);
  return numbers;
}

}  // namespace

TEST_CASE("what waits in the mailbox is written in one transaction") {
  store_fixture f;
  f.start();
  f.run();
  const auto before = f.database->commits();
  std::vector<pending_reply<commit_result>> replies;
  for (int number = 0; number < 200; ++number)
    replies.push_back(f.request<commit_result>(
      f.store, one_change(put_node("n" + std::to_string(number), "v"))));
  f.run();
  for (const auto& reply : replies) {
    REQUIRE(reply->has_value());
    REQUIRE((*reply)->has_value());
    CHECK((**reply)->applied);
  }
  CHECK(f.database->commits() == before + 1);
  CHECK(f.count(tables::nodes) == 200);
}

TEST_CASE("a transaction takes at most commit_batch_max commits") {
  store_fixture f;
  f.arguments.commit_batch_max = 64;
  f.start();
  f.run();
  const auto before = f.database->commits();
  std::vector<pending_reply<commit_result>> replies;
  for (int number = 0; number < 200; ++number)
    replies.push_back(f.request<commit_result>(
      f.store, one_change(put_node("n" + std::to_string(number), "v"))));
  f.run();
  for (const auto& reply : replies)
    CHECK((**reply)->applied);
  CHECK(f.database->commits() == before + 4);
}

TEST_CASE("a put_absent that finds its key refuses its own commit and no other") {
  store_fixture f;
  f.start();
  REQUIRE(f.commit(one_change(put_node("taken", "first"))));
  auto refused = one_change(put_node("other", "x"));
  refused.changes.push_back(
    {change_kind::put_absent, tables::nodes, "taken", runtime::bytes::copy_of("second")});
  refused.events = {f.make_event("never")};
  const auto before = f.request<commit_result>(f.store, one_change(put_node("before", "x")));
  const auto reply = f.request<commit_result>(f.store, refused);
  const auto after = f.request<commit_result>(f.store, one_change(put_node("after", "x")));
  f.run();
  CHECK((**before)->applied);
  CHECK((**after)->applied);
  CHECK_FALSE((**reply)->applied);
  CHECK((**reply)->existing.view() == "first");
  CHECK(stored(f, "taken") == "first");
  CHECK(stored(f, "other") == "nothing");
  CHECK(event_numbers(f).empty());
}

TEST_CASE("of two commits with the same new key in one transaction, the first wins") {
  store_fixture f;
  f.start();
  std::vector<pending_reply<commit_result>> replies;
  for (const char* value : {"first", "second"})
    replies.push_back(f.request<commit_result>(
      f.store, one_change({change_kind::put_absent, tables::nodes, "key",
                           runtime::bytes::copy_of(value)})));
  f.run();
  CHECK((**replies[0])->applied);
  CHECK_FALSE((**replies[1])->applied);
  CHECK((**replies[1])->existing.view() == "first");
}

TEST_CASE("a commit that can not be written is refused alone, whole") {
  store_fixture f;
  f.start();
  auto bad_key = one_change(put_node("half of it", "x"));
  bad_key.changes.push_back(put_node(std::string(600, 'k'), "x"));
  auto bad_table = one_change({change_kind::put, "no such table", "k", {}});
  const auto first = f.request<commit_result>(f.store, one_change(put_node("first", "x")));
  const auto second = f.request<commit_result>(f.store, bad_key);
  const auto third = f.request<commit_result>(f.store, bad_table);
  const auto fourth = f.request<commit_result>(f.store, one_change(put_node("fourth", "x")));
  f.run();
  CHECK((**first)->applied);
  CHECK((*second)->error().code == error_code::bad_input);
  CHECK((*third)->error().code == error_code::internal);
  CHECK((**fourth)->applied);
  CHECK(stored(f, "half of it") == "nothing");
  CHECK(f.count(tables::nodes) == 2);
}

TEST_CASE("events are numbered without gaps, across refusals and restarts") {
  store_fixture f;
  f.start();
  std::vector<pending_reply<commit_result>> replies;
  for (int number = 0; number < 30; ++number) {
    commit_changes changes = one_change(put_node("n" + std::to_string(number), "v"));
    if (number % 3 == 1)
      changes.changes = {put_node("", "refused")};
    changes.events = {f.make_event("a", "job-1"), f.make_event("b")};
    replies.push_back(f.request<commit_result>(f.store, changes));
  }
  f.run();
  CHECK((**replies[0])->last_event == 2);
  CHECK((**replies[29])->last_event == 40);
  f.kill(f.store);
  f.start();
  commit_changes more;
  more.events = {f.make_event("c")};
  CHECK(f.commit(more)->last_event == 41);
  std::vector<std::uint64_t> expected(41);
  std::iota(expected.begin(), expected.end(), 1);
  CHECK(event_numbers(f) == expected);
}

TEST_CASE("EVENTS is told after the commit, in the order of the numbers, with nothing refused") {
  store_fixture f;
  std::vector<event> told;
  bool all_committed = true;
  f.events.set(f.fake<events_actor>(
    [&](const events_committed& news) {
      for (const auto& fact : news.events) {
        all_committed = all_committed && fact.number <= event_numbers(f).size();
        told.push_back(fact);
      }
    },
    [](const read_events&) { return event_list{}; }));
  f.start();
  std::vector<pending_reply<commit_result>> replies;
  for (int number = 0; number < 10; ++number) {
    commit_changes changes;
    if (number == 4)
      changes.changes = {put_node("", "refused")};
    changes.events = {f.make_event("kind " + std::to_string(number))};
    replies.push_back(f.request<commit_result>(f.store, changes));
  }
  f.run();
  REQUIRE(told.size() == 9);
  CHECK(all_committed);
  for (std::size_t index = 0; index < told.size(); ++index)
    CHECK(told[index].number == index + 1);
  CHECK(told[4].kind == "kind 5");
}

TEST_CASE("more commits than the queue holds are refused as overloaded") {
  store_fixture f;
  f.arguments.commit_queue_max = 10;
  f.start();
  std::vector<pending_reply<commit_result>> replies;
  for (int number = 0; number < 15; ++number)
    replies.push_back(f.request<commit_result>(
      f.store, one_change(put_node("n" + std::to_string(number), "v"))));
  f.run();
  for (std::size_t number = 0; number < replies.size(); ++number) {
    if (number < 10)
      CHECK((**replies[number])->applied);
    else
      CHECK((*replies[number])->error().code == error_code::overloaded);
  }
  CHECK(f.commit(one_change(put_node("later", "v")))->applied);
}

TEST_CASE("blobs are on disk before the commit that names them, also when it is refused") {
  store_fixture f;
  f.start();
  commit_changes changes = one_change(put_node("k", "v"));
  const std::string payload(100'000, 'p');
  changes.blobs = {{runtime::sha256_hex(payload), runtime::bytes::copy_of(payload)}};
  REQUIRE(f.commit(changes));
  CHECK(f.blobs->read_chunk(changes.blobs[0].digest, 0, 200'000)->data.view() == payload);
  changes.blobs[0].digest = "no digest";
  CHECK(f.commit(changes).error().code == error_code::bad_input);
}

TEST_CASE("a full store refuses every waiting commit, still reads, and recovers") {
  auto options = store_fixture::small_map();
  options.map_bytes = 1 << 20;
  store_fixture f{options};
  f.start();
  const std::string block(30'000, 'x');
  int written = 0;
  runtime::expected<commit_result> last;
  while (written < 1000) {
    last = f.commit(one_change(put_node("n" + std::to_string(written), block)));
    if (!last)
      break;
    ++written;
  }
  REQUIRE_FALSE(last);
  CHECK(last.error().code == error_code::store_full);
  const auto one = f.request<commit_result>(f.store, one_change(put_node("one", block)));
  const auto two = f.request<commit_result>(f.store, one_change(put_node("two", block)));
  f.run();
  CHECK((*one)->error().code == error_code::store_full);
  CHECK((*two)->error().code == error_code::store_full);
  CHECK(f.ask<store_totals>(f.queries, get_totals{})->read_only);
  CHECK(stored(f, "n0") == block);
  REQUIRE(f.database->write(
    [&](runtime::write_transaction& changes) -> runtime::expected<void> {
      for (int number = 0; number < written; ++number)
        if (auto erased = changes.erase(tables::nodes, "n" + std::to_string(number)); !erased)
          return tl::unexpected(erased.error());
      return {};
    },
    runtime::write_purpose::reclaim));
  CHECK(f.commit(one_change(put_node("one", block)))->applied);
  CHECK_FALSE(f.ask<store_totals>(f.queries, get_totals{})->read_only);
}

TEST_CASE("a store that was full takes writes again by itself, though nobody tries one") {
  temporary_folder folder;
  bool is_full = false;
  runtime::disk_faults disk;
  disk.before = [&](runtime::disk_write) {
    return is_full ? runtime::write_fate::full : runtime::write_fate::proceed;
  };
  store_fixture f;
  f.database = *open_database(folder / "db", store_fixture::small_map(), disk);
  f.arguments.database = f.database;
  f.queries = f.sys().spawn(actors::queries, f.database);
  f.start();
  is_full = true;
  CHECK(f.commit(one_change(put_node("n", "v"))).error().code == error_code::store_full);
  f.advance(5'000);
  auto totals = f.ask<store_totals>(f.queries, get_totals{}).value();
  CHECK(totals.read_only);
  CHECK(totals.health == error_code::store_full);
  is_full = false;
  f.advance(1'100);
  CHECK_FALSE(f.ask<store_totals>(f.queries, get_totals{})->read_only);
  CHECK(f.commit(one_change(put_node("n", "v")))->applied);
}

TEST_CASE("a damaged value makes the service read-only") {
  temporary_folder folder;
  const auto options = store_fixture::small_map();
  {
    auto database = open_database(folder / "db", options);
    REQUIRE(database);
    const std::string key = "counter";
    REQUIRE((*database)->write([&](runtime::write_transaction& changes) {
      return changes.put(tables::nodes, key, "a value to be damaged");
    }));
  }
  {
    const auto file = folder.path() / "db" / "data.mdb";
    std::ifstream input(file, std::ios::binary);
    std::string content{std::istreambuf_iterator<char>(input), {}};
    const auto place = content.find("a value to be damaged");
    REQUIRE(place != std::string::npos);
    content[place + 3] ^= 4;
    std::ofstream(file, std::ios::binary) << content;
  }
  store_fixture f;
  f.database = *open_database(folder / "db", options);
  f.arguments.database = f.database;
  f.queries = f.sys().spawn(actors::queries, f.database);
  f.start();
  CHECK(f.commit(one_change(put_node("later key", "v")))->applied);
  CHECK(f.ask<stored_nodes>(f.queries, load_nodes{}).error().code == error_code::store_corrupt);
  CHECK(f.commit(one_change(put_node("after", "v"))).error().code == error_code::store_corrupt);
  CHECK(f.ask<store_totals>(f.queries, get_totals{})->read_only);
}

TEST_CASE("an ordered end writes what was gathered, and answers it") {
  store_fixture f;
  f.start();
  f.run();
  const auto reply = f.request<commit_result>(f.store, one_change(put_node("last", "v")));
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(f.sys().scheduler());
  // The asker sends its commit; STORE gathers it.
  REQUIRE(scheduler.try_run_once());
  REQUIRE(scheduler.try_run_once());
  REQUIRE_FALSE(reply->has_value());
  f.kill(f.store, caf::exit_reason::user_shutdown);
  CHECK((**reply)->applied);
  CHECK(stored(f, "last") == "v");
  CHECK_FALSE(f.is_alive(f.store));
}

TEST_CASE("every start of the orchestrator has a higher generation") {
  store_fixture f;
  CHECK(next_generation(*f.database) == 1);
  CHECK(next_generation(*f.database) == 2);
}
