// Arrays of jobs: admitted together, then jobs like any other.
#include "actors/job/admission.hpp"
#include "tests/actors/orchestrator_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;
using tests::orchestrator_fixture;
using tests::seconds;

namespace {

models::tensor input_of(std::vector<std::int64_t> shape) {
  const auto bytes = static_cast<std::size_t>(shape[0] * shape[1]) * 4;
  return models::make_tensor("x", models::datatype::fp32, std::move(shape),
                             std::vector<char>(bytes));
}

submit_job array_of(orchestrator_fixture& f, std::size_t size) {
  auto job = f.job_of();
  job.spec.inputs.clear();
  for (std::size_t index = 0; index < size; ++index)
    job.array.push_back({input_of({static_cast<std::int64_t>(index % 8) + 1, 2})});
  return job;
}

submit_result submit_array(orchestrator_fixture& f, const submit_job& job) {
  auto made = f.ask<submit_result>(f.dispatcher, job);
  REQUIRE_MESSAGE(made, (made ? "" : made.error().message));
  return *made;
}

array_view view_of(orchestrator_fixture& f, const std::string& id) {
  auto view = f.ask<array_view>(f.services.queries.get(), get_array{id});
  REQUIRE_MESSAGE(view, (view ? "" : view.error().message));
  return *view;
}

std::size_t stored_jobs(orchestrator_fixture& f) {
  return f.ask<job_page>(f.services.queries.get(), list_jobs{})->jobs.size();
}

}  // namespace

TEST_CASE("what is wrong with one job of an array is told with its place, the rest once") {
  job_spec spec;
  spec.steps = {{"m", "", "", 1.0, {}}};
  model_entry entry{"m", "7", "digest", 10, 0, {}};
  entry.spec.name = "m";
  entry.spec.max_batch_size = 8;
  entry.spec.inputs = {{"x", models::datatype::fp32, {2}, {}}};
  entry.spec.outputs = {{"y", models::datatype::fp32, {2}, {}}};
  const models::tensor_list good{input_of({1, 2})};
  const models::tensor_list wrong{input_of({1, 3})};
  CHECK(complete_array(spec, {good, good}, {entry}).empty());
  CHECK(spec.steps[0].version == "7");
  CHECK(spec.inputs.empty());
  const auto problems = complete_array(spec, {good, wrong, wrong}, {entry});
  REQUIRE(problems.size() == 2);
  CHECK(problems[0].starts_with("array[1].inputs[0].shape[1]: "));
  CHECK(problems[1].starts_with("array[2].inputs[0].shape[1]: "));
  CHECK(complete_array(spec, std::vector<models::tensor_list>(500, wrong), {entry}).size() == 100);
  // A step that is not fed is so for every job.
  auto second = entry;
  second.spec.inputs[0].name = "other";
  second.spec.inputs.push_back({"more", models::datatype::fp32, {2}, {}});
  spec.kind = pattern::chained;
  spec.steps.push_back({"n", "", "", 1.0, {}});
  CHECK(complete_array(spec, {good, good, good}, {entry, second}).size() == 2);
}

TEST_CASE("an array is as many jobs, each with its own inputs, status and place") {
  orchestrator_fixture f;
  f.add_node("n1");
  const auto made = submit_array(f, array_of(f, 3));
  REQUIRE(made.job_ids.size() == 3);
  CHECK(made.id == made.job_ids[0]);
  f.advance(1 * seconds);
  for (std::size_t index = 0; index < 3; ++index) {
    const auto job = f.view(made.job_ids[index]).record;
    CHECK(job.array_id == made.array_id);
    CHECK(job.array_index == index);
    CHECK(job.state == job_state::completed);
    REQUIRE(job.spec.inputs.size() == 1);
    CHECK(job.spec.inputs[0].shape[0] == static_cast<std::int64_t>(index) + 1);
    CHECK(f.count_events(job.id, "job_completed") == 1);
  }
  const auto view = view_of(f, made.array_id);
  CHECK(view.id == made.array_id);
  REQUIRE(view.elements.size() == 3);
  CHECK(view.elements[2] == array_element{made.job_ids[2], 2, job_state::completed, {}});
  CHECK(view_of(f, made.array_id.substr(0, 30)).id == made.array_id);
}

TEST_CASE("an array is stored whole or not at all") {
  orchestrator_fixture f;
  auto job = array_of(f, 3);
  job.array[1] = {input_of({1, 3})};
  auto refused = f.ask<submit_result>(f.dispatcher, job);
  CHECK(refused.error().code == error_code::bad_input);
  CHECK(refused.error().details.at(0).starts_with("array[1].inputs[0].shape[1]"));
  CHECK(stored_jobs(f) == 0);
  // 20 jobs may be pending: 18 more than two are too many, and none of them is taken.
  submit_array(f, array_of(f, 2));
  CHECK(f.ask<submit_result>(f.dispatcher, array_of(f, 19)).error().code
        == error_code::overloaded);
  CHECK(stored_jobs(f) == 2);
  submit_array(f, array_of(f, 18));
  CHECK(stored_jobs(f) == 20);
}

TEST_CASE("one idempotency key makes one array") {
  orchestrator_fixture f;
  auto job = array_of(f, 3);
  job.idempotency_key = "key";
  job.body_digest = "one";
  const auto first = submit_array(f, job);
  const auto second = submit_array(f, job);
  CHECK_FALSE(first.existed);
  CHECK(second.existed);
  CHECK(second.array_id == first.array_id);
  CHECK(second.job_ids == first.job_ids);
  CHECK(stored_jobs(f) == 3);
  job.body_digest = "two";
  CHECK(f.ask<submit_result>(f.dispatcher, job).error().code == error_code::conflict);
}

TEST_CASE("cancelling an array ends what has not ended, and leaves the rest") {
  orchestrator_fixture f;
  f.nodes_answer = false;
  f.add_node("n1");
  const auto made = submit_array(f, array_of(f, 4));
  f.advance(100);
  REQUIRE_FALSE(f.orders.empty());
  f.answer("n1", f.orders[0]);
  f.advance(1 * seconds);
  auto view = f.ask<array_view>(f.dispatcher, cancel_array{made.array_id});
  REQUIRE(view);
  std::map<job_state, std::size_t> counts;
  for (const auto& each : view->elements)
    ++counts[each.state];
  CHECK(counts[job_state::completed] == 1);
  CHECK(counts[job_state::cancelled] == 3);
  CHECK(f.ask<array_view>(f.dispatcher, cancel_array{made.array_id}).error().code
        == error_code::conflict);
  CHECK(f.ask<array_view>(f.dispatcher, cancel_array{"0190"}).error().code
        == error_code::not_found);
}

TEST_CASE("an array outlives a restart: its jobs go on, and it is read and cancelled as before") {
  orchestrator_fixture f;
  const auto made = submit_array(f, array_of(f, 3));
  f.restart();
  f.advance(1 * seconds);
  CHECK(view_of(f, made.array_id).elements.size() == 3);
  CHECK(f.ask<job_status>(f.dispatcher, cancel_job{made.job_ids[0]}).has_value());
  f.add_node("n1");
  f.advance(20 * seconds);
  const auto view = view_of(f, made.array_id);
  CHECK(view.elements[0].state == job_state::cancelled);
  CHECK(view.elements[1].state == job_state::completed);
  CHECK(view.elements[2].state == job_state::completed);
}

TEST_CASE("jobs are listed by array, with the other filters") {
  orchestrator_fixture f;
  f.submit(f.job_of());
  const auto made = submit_array(f, array_of(f, 3));
  const auto other = submit_array(f, array_of(f, 2));
  const auto list = [&](const std::string& array, const std::string& status) {
    list_jobs request;
    request.array_id = array;
    request.status = status;
    return f.ask<job_page>(f.services.queries.get(), request)->jobs.size();
  };
  CHECK(list(made.array_id, "") == 3);
  CHECK(list(other.array_id, "") == 2);
  CHECK(list(made.array_id, "completed") == 0);
  CHECK(f.ask<job_status>(f.dispatcher, cancel_job{made.job_ids[1]}).has_value());
  CHECK(list(made.array_id, "cancelled") == 1);
  list_jobs wrong;
  wrong.array_id = "0190";
  CHECK(f.ask<job_page>(f.services.queries.get(), wrong).error().code == error_code::bad_input);
  // Two arrays of one moment begin alike.
  CHECK(f.ask<array_view>(f.services.queries.get(), get_array{made.array_id.substr(0, 8)})
          .error()
          .code
        == error_code::bad_input);
}
