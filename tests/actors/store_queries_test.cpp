#include <algorithm>
#include <chrono>

#include <doctest/doctest.h>

#include "actors/store/job_reader.hpp"
#include "tests/actors/store_support.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

/// Follows the cursors to the end; the ids in the order in which they came.
std::vector<std::string> all_pages(store_fixture& f, list_jobs request) {
  std::vector<std::string> ids;
  while (true) {
    const auto page = f.ask<job_page>(f.queries, request);
    REQUIRE(page);
    CHECK(page->jobs.size() <= request.limit);
    for (const auto& job : page->jobs)
      ids.push_back(job.id);
    if (page->next_cursor.empty())
      return ids;
    CHECK(page->jobs.size() == request.limit);
    request.cursor = page->next_cursor;
  }
}

}  // namespace

TEST_CASE("pages under every combination of filters hold what a search of all jobs finds") {
  store_fixture f;
  f.start();
  const std::uint64_t seed = test_seed();
  CAPTURE(seed);
  runtime::random_source random{seed};
  std::vector<job_record> jobs;
  for (int number = 0; number < 300; ++number) {
    auto job = f.make_job();
    job.spec.kind = static_cast<pattern>(random.below(5));
    job.spec.submitted_by = std::string(1, static_cast<char>('a' + random.below(4)));
    f.submit(job);
    if (random.below(2) == 1)
      f.move_to(job, static_cast<job_state>(1 + random.below(5)));
    jobs.push_back(job);
  }
  for (int round = 0; round < 60; ++round) {
    list_jobs request;
    if (random.below(2) == 1)
      request.status = to_string(static_cast<job_state>(random.below(6)));
    if (random.below(2) == 1)
      request.pattern = to_string(static_cast<pattern>(random.below(5)));
    if (random.below(2) == 1)
      request.submitted_by = std::string(1, static_cast<char>('a' + random.below(5)));
    request.limit = 1 + static_cast<std::uint32_t>(random.below(60));
    std::vector<std::string> expected;
    for (auto job = jobs.rbegin(); job != jobs.rend(); ++job)
      if ((request.status.empty() || request.status == to_string(job->state))
          && (request.pattern.empty() || request.pattern == to_string(job->spec.kind))
          && (request.submitted_by.empty() || request.submitted_by == job->spec.submitted_by))
        expected.push_back(job->id);
    CHECK(all_pages(f, request) == expected);
  }
}

TEST_CASE("a page goes on behind its cursor when jobs have come and gone meanwhile") {
  store_fixture f;
  f.start();
  std::vector<job_record> jobs;
  for (int number = 0; number < 6; ++number) {
    jobs.push_back(f.make_job());
    f.submit(jobs.back());
  }
  list_jobs request;
  request.limit = 3;
  const auto first = f.ask<job_page>(f.queries, request);
  REQUIRE(f.database->write([&](runtime::write_transaction& changes) {
    return remove_job(changes, jobs[3].id);
  }));
  f.submit(f.make_job());
  request.cursor = first->next_cursor;
  const auto second = f.ask<job_page>(f.queries, request);
  REQUIRE(second->jobs.size() == 3);
  CHECK(second->jobs[0].id == jobs[2].id);
  CHECK(second->jobs[2].id == jobs[0].id);
  CHECK(second->next_cursor.empty());
}

TEST_CASE("a list request names all its problems") {
  store_fixture f;
  f.start();
  list_jobs request;
  request.status = "sleeping";
  request.pattern = "zigzag";
  request.cursor = "yesterday";
  request.limit = 1001;
  const auto page = f.ask<job_page>(f.queries, request);
  CHECK(page.error().code == error_code::bad_input);
  CHECK(page.error().details.size() == 4);
}

TEST_CASE("a job is read back with its inputs and result, by id or by a unique prefix") {
  store_fixture f;
  f.start();
  auto small = f.make_job(1000);
  f.submit(small);
  f.advance(1 << 24);
  auto large = f.make_job(200'000);
  f.submit(large);
  const auto read = f.ask<job_view>(f.queries, get_job{small.id});
  REQUIRE(read);
  CHECK(read->record == small);
  CHECK_FALSE(read->has_result);
  const auto read_large = f.ask<job_view>(f.queries, get_job{large.id});
  REQUIRE(read_large);
  CHECK(read_large->record.spec.inputs[0].is_detached());
  CHECK(f.blobs->exists(read_large->record.spec.inputs[0].digest));
  commit_changes changes;
  job_result result;
  result.outputs = large.spec.inputs;
  result.label = "seven";
  append_changes_for_result(large.id, result, changes);
  REQUIRE(f.commit(changes));
  const auto with_result = f.ask<job_view>(f.queries, get_job{large.id});
  CHECK(with_result->has_result);
  CHECK(with_result->result.label == "seven");
  CHECK(with_result->result.outputs[0].is_detached());
  CHECK(f.ask<job_view>(f.queries, get_job{small.id.substr(0, 13)})->record.id == small.id);
  CHECK(f.ask<job_view>(f.queries, get_job{small.id.substr(0, 4)}).error().code
        == error_code::bad_input);
  CHECK(f.ask<job_view>(f.queries, get_job{"018"}).error().code == error_code::bad_input);
  CHECK(f.ask<job_view>(f.queries, get_job{"ffff"}).error().code == error_code::not_found);
  CHECK(f.ask<job_view>(f.queries, get_job{f.ids.next(1)}).error().code == error_code::not_found);
}

TEST_CASE("executions and history come oldest first, and only of the job that was named") {
  store_fixture f;
  f.start();
  const auto job = f.make_job();
  const auto other = f.make_job();
  f.submit(job);
  f.submit(other);
  std::vector<std::string> ids;
  for (int number = 0; number < 5; ++number) {
    commit_changes changes;
    execution_record execution;
    execution.id = f.ids.next(runtime::wall_ms(f.sys()));
    execution.job_id = number == 3 ? other.id : job.id;
    changes.changes.push_back(change_for_execution(execution));
    execution.state = execution_state::completed;
    changes.changes.push_back(change_for_execution(execution));
    changes.events = {f.make_event("execution " + std::to_string(number), execution.job_id)};
    REQUIRE(f.commit(changes));
    if (number != 3)
      ids.push_back(execution.id);
  }
  const auto list = f.ask<execution_list>(f.queries, get_executions{job.id});
  REQUIRE(list->executions.size() == 4);
  for (std::size_t index = 0; index < ids.size(); ++index) {
    CHECK(list->executions[index].id == ids[index]);
    CHECK(list->executions[index].state == execution_state::completed);
  }
  const auto history = f.ask<event_list>(f.queries, get_history{job.id});
  REQUIRE(history->events.size() == 5);
  CHECK(history->events[0].kind == "job_submitted");
  CHECK(history->events[4].kind == "execution 4");
  const auto unknown = f.ids.next(1);
  CHECK(f.ask<event_list>(f.queries, get_history{unknown}).error().code == error_code::not_found);
  CHECK(f.ask<execution_list>(f.queries, get_executions{unknown}).error().code
        == error_code::not_found);
}

TEST_CASE("after a restart everything unfinished is found, with inputs and stored steps") {
  store_fixture f;
  f.start();
  std::vector<job_record> unfinished;
  for (int number = 0; number < 12; ++number) {
    auto job = f.make_job();
    f.submit(job);
    if (number % 6 != 0)
      f.move_to(job, static_cast<job_state>(number % 6));
    if (!is_terminal(job.state))
      unfinished.push_back(job);
  }
  auto& chained = unfinished.back();
  commit_changes changes;
  const models::tensor_list outputs{chained.spec.inputs};
  chained.steps_done = 2;
  for (std::uint32_t step = 0; step < 3; ++step)
    changes.changes.push_back(change_for_step(chained.id, step, outputs));
  changes.changes.push_back(erase_step(chained.id, 2));
  append_changes_for_job(chained, chained.state, changes);
  REQUIRE(f.commit(changes));
  const auto found = f.ask<unfinished_jobs>(f.queries, load_unfinished{});
  REQUIRE(found);
  REQUIRE(found->jobs.size() == unfinished.size());
  for (std::size_t index = 0; index < unfinished.size(); ++index)
    CHECK(found->jobs[index].record == unfinished[index]);
  const auto one = f.ask<unfinished_jobs>(f.queries, load_unfinished{unfinished[1].id});
  REQUIRE(one.has_value());
  REQUIRE(one->jobs.size() == 1);
  CHECK(one->jobs[0].record == unfinished[1]);
  CHECK(found->jobs.back().step_outputs == std::vector<models::tensor_list>{outputs, outputs});
}

TEST_CASE("what stragglers of an ended job have left open is found until it is closed") {
  store_fixture f;
  f.start();
  auto job = f.make_job();
  f.submit(job);
  f.move_to(job, job_state::completed);
  commit_changes changes;
  execution_record open;
  open.id = "execution-open";
  open.job_id = job.id;
  open.state = execution_state::running;
  auto closed = open;
  closed.id = "execution-closed";
  closed.state = execution_state::completed;
  changes.changes = {change_for_execution(open), change_for_execution(closed),
                     change_for_stragglers(job.id)};
  REQUIRE(f.commit(changes));
  const auto found = f.ask<unfinished_jobs>(f.queries, load_unfinished{});
  REQUIRE(found);
  CHECK(found->jobs.empty());
  REQUIRE(found->stragglers.size() == 1);
  CHECK(found->stragglers[0].job_id == job.id);
  CHECK(found->stragglers[0].executions == std::vector<execution_record>{open});
  changes = {};
  changes.changes = {erase_stragglers(job.id)};
  REQUIRE(f.commit(changes));
  CHECK(f.ask<unfinished_jobs>(f.queries, load_unfinished{job.id})->stragglers.empty());
}

TEST_CASE("totals count jobs by state, executions and events; nodes are listed by id") {
  store_fixture f;
  f.start();
  for (int number = 0; number < 5; ++number) {
    auto job = f.make_job();
    f.submit(job);
    if (number > 2)
      f.move_to(job, job_state::failed);
  }
  for (const char* id : {"node-b", "node-a"}) {
    commit_changes changes;
    node_record node;
    node.facts.id = id;
    node.reputation = 95.0;
    changes.changes = {change_for_node(node)};
    REQUIRE(f.commit(changes));
  }
  const auto totals = f.ask<store_totals>(f.queries, get_totals{});
  CHECK(totals->jobs_by_state == std::vector<std::uint64_t>{3, 0, 0, 0, 2, 0});
  CHECK(totals->executions == 0);
  CHECK(totals->last_event == 5);
  CHECK_FALSE(totals->read_only);
  const auto nodes = f.ask<stored_nodes>(f.queries, load_nodes{});
  REQUIRE(nodes->nodes.size() == 2);
  CHECK(nodes->nodes[0].facts.id == "node-a");
  CHECK(nodes->nodes[0].reputation == runtime::real{95.0});
}

TEST_CASE("a page of ten thousand jobs is read by its index, and says how long that took") {
  store_fixture f;
  f.start();
  commit_changes many;
  for (int number = 0; number < 10'000; ++number) {
    auto job = f.make_job();
    job.spec.kind = number % 1000 == 0 ? pattern::chained : pattern::single;
    append_changes_for_new_job(job, many);
  }
  REQUIRE(f.commit(many));
  list_jobs plain;
  list_jobs filtered;
  filtered.status = "pending";
  filtered.pattern = "chained";
  filtered.submitted_by = "ann";
  for (const auto& request : {plain, filtered}) {
    std::vector<double> times_ms;
    std::size_t found = 0;
    for (int round = 0; round < 200; ++round) {
      const auto before = std::chrono::steady_clock::now();
      const auto page = read_page(*f.database->read(), request);
      times_ms.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - before)
          .count());
      found = page->jobs.size();
    }
    CHECK(found == (request.status.empty() ? 50 : 10));
    std::sort(times_ms.begin(), times_ms.end());
    MESSAGE("page of " << found << " out of 10,000 jobs: p50 " << times_ms[100] << " ms, p99 "
                       << times_ms[198] << " ms");
  }
}

TEST_CASE("a known idempotency key gives back the job that it made") {
  store_fixture f;
  f.start();
  const std::string key(2000, 'k');
  commit_changes changes;
  changes.changes = {change_for_idempotency(key, {"job-1", "digest", 7})};
  CHECK(f.commit(changes)->applied);
  changes.changes = {change_for_idempotency(key, {"job-2", "digest", 8})};
  const auto again = f.commit(changes);
  CHECK_FALSE(again->applied);
  CHECK(decode_idempotency(again->existing) == idempotency_record{"job-1", "digest", 7});
  changes.changes = {change_for_idempotency(key + "x", {"job-2", "digest", 8})};
  CHECK(f.commit(changes)->applied);
}

TEST_CASE("the popularity of models is none at first, and then what was stored last") {
  store_fixture f;
  f.start();
  CHECK(f.ask<popular_models>(f.queries, load_popularity{})->models.empty());
  for (const std::uint64_t score : {5'000, 7'000}) {
    const popular_models popular{{{"digits-mlp", "2", score}, {"risk", "1", 10}}};
    commit_changes commit;
    commit.changes.push_back(change_for_popularity(popular));
    REQUIRE(f.commit(std::move(commit)));
    CHECK(f.ask<popular_models>(f.queries, load_popularity{}).value() == popular);
  }
}
