// What older and newer programs have written.
#include <doctest/doctest.h>

#include "actors/store/job_reader.hpp"
#include "tests/actors/store_support.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

/// A node's row as it was before quarantine and drain were stored in it.
struct first_node_record {
  node_facts facts;
  node_state state = node_state::online;
  std::uint64_t incarnation = 7;
  runtime::real reputation = 140.0;
  std::uint64_t total_jobs_run = 9;
  std::uint64_t successful_jobs_run = 8;
  std::uint64_t failed_jobs = 1;
  std::int64_t registered_at = 5;
  std::int64_t last_heartbeat = 6;
  node_load load;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, first_node_record& x) {
  return f(x.facts, x.state, x.incarnation, x.reputation, x.total_jobs_run, x.successful_jobs_run,
           x.failed_jobs, x.registered_at, x.last_heartbeat, x.load);
}

/// A row of a program that knows one member more than this one.
struct next_node_record {
  node_record known;
  std::string added = "news";
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, next_node_record& x) {
  auto& k = x.known;
  return f(k.facts, k.state, k.incarnation, k.reputation, k.total_jobs_run, k.successful_jobs_run,
           k.failed_jobs, k.registered_at, k.last_heartbeat, k.load, k.quarantine, k.drain_wanted,
           x.added);
}

/// A job's row as it was before jobs could be of an array.
struct first_job_record {
  std::string id = "job-1";
  job_spec spec;
  job_state state = job_state::running;
  std::int64_t submitted_at = 5;
  std::int64_t started_at = 6;
  std::int64_t completed_at = 0;
  runtime::failure error;
  std::uint32_t epoch = 2;
  std::uint32_t steps_done = 1;
  std::uint32_t rebuilds = 1;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, first_job_record& x) {
  return f(x.id, x.spec, x.state, x.submitted_at, x.started_at, x.completed_at, x.error, x.epoch,
           x.steps_done, x.rebuilds);
}

/// A key's row from the same time.
struct first_idempotency_record {
  std::string job_id = "job-1";
  std::string body_digest = "digest";
  std::int64_t at = 7;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, first_idempotency_record& x) {
  return f(x.job_id, x.body_digest, x.at);
}

/// A store as a program with schema `version` leaves it, with one node.
template <class Record>
void write_store(const std::filesystem::path& folder, std::uint32_t version, Record record) {
  runtime::store_settings settings;
  settings.folder = folder;
  settings.map_bytes = 64 << 20;
  settings.sync = false;
  settings.tables = tables::all();
  settings.schema_version = version;
  auto store = runtime::store::open(settings);
  REQUIRE(store);
  REQUIRE((*store)->write([&](runtime::write_transaction& changes) {
    return changes.put(tables::nodes, "n1", runtime::encode_record(record).view());
  }));
}

node_record read_node(runtime::store& store) {
  auto snapshot = store.read();
  REQUIRE(snapshot);
  auto stored = snapshot->get(tables::nodes, "n1");
  REQUIRE(stored);
  REQUIRE(stored->has_value());
  auto record = runtime::decode_record<node_record>(**stored);
  REQUIRE_MESSAGE(record, (record ? "" : record.error().message));
  return *record;
}

}  // namespace

TEST_CASE("a node's row from before a member was appended is read, and written back whole") {
  tests::temporary_folder folder;
  first_node_record old;
  old.facts.name = "clinic";
  write_store(folder / "db", 1, old);
  auto database = open_database(folder / "db", tests::store_fixture::small_map());
  REQUIRE_MESSAGE(database, (database ? "" : database.error().message));
  auto node = read_node(**database);
  CHECK(node.facts.name == "clinic");
  CHECK(double(node.reputation) == 140.0);
  CHECK(node.total_jobs_run == 9);
  CHECK(node.quarantine == quarantine_record{});
  CHECK_FALSE(node.drain_wanted);
  node.quarantine.active = true;
  node.facts.id = "n1";
  auto change = change_for_node(node);
  REQUIRE((*database)->write([&](runtime::write_transaction& changes) {
    return changes.put(change.table, change.key, change.value.view());
  }));
  CHECK(read_node(**database) == node);
}

TEST_CASE("a database from before there were arrays is opened, and its jobs are of none") {
  tests::temporary_folder folder;
  runtime::store_settings settings;
  settings.folder = folder / "db";
  settings.map_bytes = 64 << 20;
  settings.sync = false;
  for (const auto& table : tables::all())
    if (table != tables::jobs_by_array)
      settings.tables.push_back(table);
  settings.schema_version = 1;
  {
    auto store = runtime::store::open(settings);
    REQUIRE(store);
    REQUIRE((*store)->write([](runtime::write_transaction& changes) {
      if (auto put = changes.put(tables::jobs, "job-1",
                                 runtime::encode_record(first_job_record{}).view());
          !put)
        return put;
      return changes.put(state_table(job_state::running), "job-1", {});
    }));
  }
  auto database = open_database(folder / "db", tests::store_fixture::small_map());
  REQUIRE_MESSAGE(database, (database ? "" : database.error().message));
  auto snapshot = (*database)->read();
  REQUIRE(snapshot);
  auto job = read_job(*snapshot, "job-1");
  REQUIRE_MESSAGE(job, (job ? "" : job.error().message));
  CHECK(job->record.epoch == 2);
  CHECK(job->record.rebuilds == 1);
  CHECK(job->record.array_id.empty());
  CHECK(job->record.array_index == 0);
  CHECK(read_array(*snapshot, "0190a0a0").error().code == error_code::not_found);
}

TEST_CASE("an idempotency key from before there were arrays stands for its job") {
  const auto known = decode_idempotency(runtime::encode_record(first_idempotency_record{}));
  REQUIRE(known);
  CHECK(known->job_id == "job-1");
  CHECK(known->at == 7);
  CHECK(known->array_id.empty());
}

TEST_CASE("a row with a member that this program does not know is read without it") {
  tests::temporary_folder folder;
  next_node_record newer;
  newer.known.facts.name = "clinic";
  newer.known.quarantine.active = true;
  write_store(folder / "db", schema_version, newer);
  auto database = open_database(folder / "db", tests::store_fixture::small_map());
  REQUIRE(database);
  CHECK(read_node(**database) == newer.known);
}

TEST_CASE("a database of a newer schema is refused, and stays as it is") {
  tests::temporary_folder folder;
  write_store(folder / "db", schema_version + 1, node_record{});
  for (int attempt = 0; attempt < 2; ++attempt) {
    auto database = open_database(folder / "db", tests::store_fixture::small_map());
    REQUIRE_FALSE(database.has_value());
    CHECK(database.error().code == error_code::unsupported);
    CHECK(database.error().message.find("a newer program has written it") != std::string::npos);
  }
}
