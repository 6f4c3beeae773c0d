#include "actors/store/retention.hpp"

#include <doctest/doctest.h>

#include "actors/store/job_reader.hpp"
#include "tests/actors/store_support.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;

namespace {

/// Everything that a job leaves: executions, result, steps, events, and large outputs.
void run_job(store_fixture& f, job_record& job, char letter) {
  commit_changes changes;
  execution_record execution;
  execution.id = f.ids.next(runtime::wall_ms(f.sys()));
  execution.job_id = job.id;
  execution.outputs = {models::make_tensor("y", models::datatype::uint8, {100'000},
                                           std::vector<char>(100'000, letter))};
  models::tensor_list step = execution.outputs;
  job_result result;
  result.outputs = execution.outputs;
  detach_large(execution.outputs, changes.blobs);
  detach_large(step, changes.blobs);
  changes.changes = {change_for_execution(execution), change_for_step(job.id, 0, step)};
  append_changes_for_result(job.id, result, changes);
  changes.events = {f.make_event("result", job.id)};
  REQUIRE(f.commit(changes));
  f.move_to(job, job_state::completed);
}

std::uint64_t rows_of_jobs(store_fixture& f) {
  std::uint64_t rows = 0;
  for (const auto& table : tables::all())
    if (table != tables::nodes && table != tables::idempotency)
      rows += f.count(table);
  return rows;
}

std::size_t blob_count(store_fixture& f) {
  return f.blobs->list()->size();
}

}  // namespace

TEST_CASE("a job is removed with everything that belongs to it, its time after its end") {
  store_fixture f;
  f.start();
  auto job = f.make_job(200'000);
  f.submit(job);
  f.advance(3 * f.day_ms);
  run_job(f, job, 'a');
  CHECK(blob_count(f) == 2);
  f.advance(7 * f.day_ms - 7'200'000);
  CHECK(f.ask<job_view>(f.queries, get_job{job.id}));
  CHECK(blob_count(f) == 2);
  f.advance(2 * 7'200'000);
  CHECK(rows_of_jobs(f) == 0);
  CHECK(blob_count(f) == 0);
}

TEST_CASE("an array goes with its last job") {
  store_fixture f;
  f.start();
  std::vector<job_record> jobs;
  for (std::uint32_t index = 0; index < 2; ++index) {
    auto job = f.make_job();
    job.array_id = "0190a0a0-0000-7000-8000-0000000000aa";
    job.array_index = index;
    f.submit(job);
    jobs.push_back(job);
  }
  run_job(f, jobs[0], 'c');
  f.advance(9 * f.day_ms);
  auto left = f.ask<array_view>(f.queries, get_array{jobs[1].array_id});
  REQUIRE(left);
  REQUIRE(left->elements.size() == 1);
  CHECK(left->elements[0].index == 1);
  run_job(f, jobs[1], 'c');
  f.advance(9 * f.day_ms);
  CHECK(f.ask<array_view>(f.queries, get_array{jobs[1].array_id}).error().code
        == runtime::error_code::not_found);
  CHECK(f.count(tables::jobs_by_array) == 0);
}

TEST_CASE("jobs that are not terminal, and younger ones, stay whole") {
  store_fixture f;
  f.start();
  auto waiting = f.make_job(200'000);
  f.submit(waiting);
  f.advance(8 * f.day_ms);
  auto young = f.make_job();
  f.submit(young);
  run_job(f, young, 'b');
  f.advance(2 * f.day_ms);
  const auto view = f.ask<job_view>(f.queries, get_job{waiting.id});
  REQUIRE(view);
  CHECK(f.blobs->exists(view->record.spec.inputs[0].digest));
  CHECK(f.ask<event_list>(f.queries, get_history{waiting.id})->events.size() == 1);
  const auto done = f.ask<job_view>(f.queries, get_job{young.id});
  REQUIRE(done);
  CHECK(f.blobs->exists(done->result.outputs[0].digest));
  CHECK(f.ask<execution_list>(f.queries, get_executions{young.id})->executions.size() == 1);
}

TEST_CASE("a blob that two jobs name stays until the last of them goes") {
  store_fixture f;
  f.start();
  auto first = f.make_job();
  f.submit(first);
  run_job(f, first, 'c');
  f.advance(4 * f.day_ms);
  auto second = f.make_job();
  f.submit(second);
  run_job(f, second, 'c');
  f.advance(4 * f.day_ms);
  CHECK_FALSE(f.ask<job_view>(f.queries, get_job{first.id}));
  CHECK(blob_count(f) == 1);
  f.advance(5 * f.day_ms);
  CHECK(blob_count(f) == 0);
}

TEST_CASE("orphaned blobs, old keys and events of no job go; young ones stay") {
  store_fixture f;
  f.start();
  const auto put = [&f](const std::string& name) {
    commit_changes changes;
    const std::string payload = "orphan " + name;
    changes.blobs = {{runtime::sha256_hex(payload), runtime::bytes::copy_of(payload)}};
    changes.changes = {
      change_for_idempotency(name, {"job", "digest", runtime::wall_ms(f.sys())})};
    changes.events = {f.make_event(name), f.make_event(name, "a job that has gone")};
    REQUIRE(f.commit(changes));
  };
  put("old");
  f.advance(f.day_ms - 7'200'000);
  put("young");
  f.advance(2 * 7'200'000);
  CHECK(blob_count(f) == 1);
  CHECK(f.count(tables::idempotency) == 1);
  CHECK(f.count(tables::events) == 4);
  f.advance(7 * f.day_ms);
  CHECK(f.count(tables::events) == 0);
  CHECK(f.count(tables::events_by_job) == 0);
  // Numbers go on where they were.
  commit_changes more;
  more.events = {f.make_event("next")};
  CHECK(f.commit(more)->last_event == 5);
}

TEST_CASE("many thousand old rows go in slices, between which commits are served") {
  store_fixture f;
  f.start();
  commit_changes many;
  for (int number = 0; number < 5000; ++number)
    many.changes.push_back(change_for_idempotency(std::to_string(number),
                                                  {"job", "digest", runtime::wall_ms(f.sys())}));
  REQUIRE(f.commit(many));
  for (int number = 0; number < 250; ++number) {
    auto job = f.make_job();
    f.submit(job);
    f.move_to(job, job_state::cancelled);
  }
  retention_sweep sweep{*f.database, *f.blobs, f.arguments.retention,
                        runtime::wall_ms(f.sys()) + 8 * f.day_ms};
  int slices = 0;
  runtime::expected<bool> more = true;
  for (; more && *more; ++slices)
    more = sweep.step();
  REQUIRE(more);
  CHECK(sweep.jobs_removed() == 250);
  CHECK(slices >= 3 + 1 + 5 + 2);
  CHECK(rows_of_jobs(f) == 0);
  CHECK(f.count(tables::idempotency) == 0);
}
