#include "actors/router/ensemble_run.hpp"

#include <doctest/doctest.h>

#include "actors/router/answer_cache.hpp"

using namespace dim;
using namespace dim::actors;

namespace {

models::tensor tensor_named(const std::string& name, std::size_t size = 4, char fill = 'x') {
  return models::make_tensor(name, models::datatype::int8, {static_cast<std::int64_t>(size)},
                             std::vector<char>(size, fill));
}

/// "a" and "b" take the input, "c" takes what both give.
std::shared_ptr<model_entry> fork_and_join() {
  auto entry = std::make_shared<model_entry>();
  entry->name = "whole";
  entry->spec.kind = models::model_kind::ensemble;
  entry->spec.inputs = {{"in", models::datatype::int8, {4}, {}}};
  entry->spec.outputs = {{"out", models::datatype::int8, {4}, {}},
                         {"left", models::datatype::int8, {4}, {}}};
  entry->spec.steps = {{"a", "", {{"x", "in"}}, {{"y", "left"}}},
                       {"b", "3", {{"x", "in"}}, {{"y", "right"}}},
                       {"c", "", {{"one", "left"}, {"two", "right"}}, {{"z", "out"}}}};
  return entry;
}

}  // namespace

TEST_CASE("steps run when their inputs are there, those that can side by side") {
  ensemble_run run(fork_and_join(), {tensor_named("in")});
  const auto first = run.next();
  REQUIRE(first.size() == 2);
  CHECK(first[0].model == "a");
  CHECK(first[1].version == "3");
  CHECK(first[1].inputs.at(0).name == "x");
  CHECK(run.next().empty());
  CHECK(run.take(1, {tensor_named("y", 4, 'r')}).code == runtime::error_code::none);
  CHECK(run.next().empty());
  CHECK(run.take(0, {tensor_named("other"), tensor_named("y", 4, 'l')}).code
        == runtime::error_code::none);
  const auto last = run.next();
  REQUIRE(last.size() == 1);
  CHECK(last[0].inputs.at(0).name == "one");
  CHECK(last[0].inputs.at(0).data.view() == "llll");
  CHECK(last[0].inputs.at(1).data.view() == "rrrr");
  CHECK_FALSE(run.is_done());
  CHECK(run.take(2, {tensor_named("z", 4, 'z')}).code == runtime::error_code::none);
  CHECK(run.is_done());
  const auto outputs = run.outputs({"out"});
  REQUIRE(outputs.has_value());
  REQUIRE(outputs->size() == 2);
  CHECK(outputs->at(0).name == "out");
  CHECK(outputs->at(0).data.view() == "zzzz");
  CHECK(outputs->at(1).name == "left");
}

TEST_CASE("steps leave out what the request does, and what comes to nothing goes no further") {
  auto ensemble = fork_and_join();
  ensemble->spec.inputs.push_back({"more", models::datatype::int8, {4}, {}, true});
  ensemble->spec.steps[0].inputs["mask"] = "more";
  SUBCASE("a step that does without gives everything") {
    ensemble_run run(ensemble, {tensor_named("in")});
    const auto calls = run.next();
    REQUIRE(calls.size() == 2);
    REQUIRE(calls[0].inputs.size() == 1);
    CHECK(calls[0].inputs[0].name == "x");
    CHECK(run.take(0, {tensor_named("y")}).code == runtime::error_code::none);
    CHECK(run.take(1, {tensor_named("y")}).code == runtime::error_code::none);
    REQUIRE(run.next().size() == 1);
    CHECK(run.take(2, {tensor_named("z")}).code == runtime::error_code::none);
    CHECK(run.outputs({})->size() == 2);
  }
  SUBCASE("a step that gives less leaves those behind it without") {
    ensemble_run run(ensemble, {tensor_named("in")});
    REQUIRE(run.next().size() == 2);
    CHECK(run.take(0, {tensor_named("other")}).code == runtime::error_code::none);
    CHECK(run.take(1, {tensor_named("y")}).code == runtime::error_code::none);
    const auto last = run.next();
    REQUIRE(last.size() == 1);
    REQUIRE(last[0].inputs.size() == 1);
    CHECK(last[0].inputs[0].name == "two");
    CHECK(run.take(2, {tensor_named("z")}).code == runtime::error_code::none);
    CHECK(run.is_done());
    REQUIRE(run.outputs({"out"}).has_value());
    REQUIRE(run.outputs({})->size() == 1);
    CHECK(run.outputs({})->front().name == "out");
    const auto refused = run.outputs({"left"});
    CHECK(refused.error().code == runtime::error_code::bad_input);
    CHECK(refused.error().message
          == "in ensemble 'whole', the output 'left' needs inputs that are left out");
  }
  SUBCASE("with all inputs, a step has to give what the ensemble needs") {
    ensemble_run run(ensemble, {tensor_named("in"), tensor_named("more")});
    REQUIRE(run.next().at(0).inputs.size() == 2);
    CHECK(run.take(0, {tensor_named("other")}).code == runtime::error_code::bad_model);
  }
}

TEST_CASE("an ensemble's steps see its inputs reshaped, and clients its outputs as declared") {
  using dims = std::vector<std::int64_t>;
  auto entry = std::make_shared<model_entry>();
  entry->name = "whole";
  entry->spec.kind = models::model_kind::ensemble;
  entry->spec.max_batch_size = 8;
  entry->spec.inputs = {{"in", models::datatype::int8, {4}, {}, false, true, {2, 2}}};
  entry->spec.outputs = {{"out", models::datatype::int8, {-1, 1}, {}, false, true, {-1}}};
  entry->spec.steps = {{"a", "", {{"x", "in"}}, {{"y", "out"}}}};
  const auto shaped = [](const std::string& name, const dims& shape) {
    return models::make_tensor(name, models::datatype::int8, shape, std::vector<char>(12, 'x'));
  };
  ensemble_run run(entry, {shaped("in", {3, 4})});
  const auto calls = run.next();
  REQUIRE(calls.size() == 1);
  CHECK(calls[0].inputs.at(0).shape == dims{3, 2, 2});
  SUBCASE("it fits") {
    CHECK(run.take(0, {shaped("y", {3, 4})}).code == runtime::error_code::none);
    REQUIRE(run.outputs({}).has_value());
    CHECK(run.outputs({})->front().shape == dims{3, 4, 1});
  }
  SUBCASE("it does not fit") {
    CHECK(run.take(0, {shaped("y", {3, 2, 2})}).code == runtime::error_code::none);
    const auto problem = run.outputs({});
    CHECK(problem.error().code == runtime::error_code::bad_model);
    CHECK(problem.error().message
          == "in ensemble 'whole', the output 'out' does not have the dims that its reshape "
             "declares");
  }
}

TEST_CASE("a step that does not give what the ensemble needs is named") {
  ensemble_run run(fork_and_join(), {tensor_named("in")});
  (void)run.next();
  const auto problem = run.take(0, {tensor_named("z")});
  CHECK(problem.code == runtime::error_code::bad_model);
  CHECK(problem.message == "in ensemble 'whole', the model 'a' has no output 'y'");
}

TEST_CASE("an answer is found by versions and inputs, in any order of these") {
  answer_cache cache(1 << 20);
  const models::tensor_list inputs{tensor_named("x"), tensor_named("y", 4, 'y')};
  const models::tensor_list turned{inputs[1], inputs[0]};
  const std::string key = answer_cache::key_of("m:1", inputs);
  CHECK(key == answer_cache::key_of("m:1", turned));
  CHECK(cache.find(key) == nullptr);
  cache.put(key, {tensor_named("out")});
  REQUIRE(cache.find(key) != nullptr);
  CHECK(cache.find(key)->front().name == "out");
  CHECK(cache.find(answer_cache::key_of("m:2", inputs)) == nullptr);
  CHECK(key != answer_cache::key_of("m:1", {tensor_named("x", 4, 'z'), inputs[1]}));
}

TEST_CASE("the cache stays within its bytes, and the least recently used answers go first") {
  answer_cache cache(3'000);
  for (const char* key : {"a", "b", "c"})
    cache.put(key, {tensor_named("out", 600)});
  CHECK(cache.size() == 3);
  REQUIRE(cache.find("a") != nullptr);
  cache.put("d", {tensor_named("out", 600)});
  CHECK(cache.bytes() <= 3'000);
  CHECK(cache.find("b") == nullptr);
  CHECK(cache.find("a") != nullptr);
  cache.put("a", {tensor_named("out", 2)});
  CHECK(cache.find("a")->front().data.size() == 2);
  cache.put("big", {tensor_named("out", 3'000)});
  CHECK(cache.find("big") == nullptr);
  CHECK(cache.size() == 3);
  answer_cache none(0);
  none.put("a", {});
  CHECK_FALSE(none.keeps_anything());
}
