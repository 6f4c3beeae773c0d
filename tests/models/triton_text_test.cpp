#include "models/triton_config.hpp"

#include <doctest/doctest.h>

#include "models/repository.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::models;
using runtime::error_code;

namespace {

using names = std::vector<std::string>;

const std::string good_text = R"(platform: "pytorch_libtorch"
max_batch_size: 8
input [ { name: "x" data_type: TYPE_FP32 dims: [ 64 ] } ]
output [ { name: "scores" data_type: TYPE_FP32 dims: [ 10 ] } ]
)";

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t index = 0; index < count; ++index)
    all += text;
  return all;
}

/// What is not used of `good_text` with `more` behind it; the rest of it is read as ever.
names unused_in(const std::string& more) {
  const auto read = parse_triton_text(good_text + more);
  REQUIRE_MESSAGE(read, more << (read ? "" : read.error().message));
  auto rest = read->spec;
  rest.instances.clear();
  rest.parameters.clear();
  rest.batching = {};
  CHECK_MESSAGE(rest == parse_triton_text(good_text)->spec, more);
  return read->unused;
}

std::string problem_in(const std::string& text) {
  const auto read = parse_triton_text(text);
  REQUIRE_FALSE_MESSAGE(read, text);
  CHECK(read.error().code == error_code::bad_input);
  return read.error().message;
}

}  // namespace

TEST_CASE("lists of messages without a colon are passed over, as Triton's examples have them") {
  CHECK(unused_in(R"(instance_group [
  { count: 1 kind: KIND_CPU
    rate_limiter { resources [ { name: "R1" count: 4 }, { name: "R2" global: True } ] } }
])") == names{"rate_limiter"});
  CHECK(unused_in(R"(batch_input [
  { kind: BATCH_ACCUMULATED_ELEMENT_COUNT target_name: "INDEX" data_type: TYPE_FP32
    source_input: "x" }
])") == names{"batch_input"});
  CHECK(unused_in(R"(optimization { execution_accelerators {
  gpu_execution_accelerator [ { name: "tensorrt" parameters { key: "a" value: "b" } } ] } }
model_repository_agents { agents [ { name: "checksum" } ] }
model_metrics { metric_control [ { histogram_options { buckets: [ 1, 2.5 ] } } ] })")
        == names{"optimization", "model_repository_agents", "model_metrics"});
  CHECK(unused_in(R"(sequence_batching { control_input [
  { name: "START" control [ { kind: CONTROL_SEQUENCE_START int32_false_true: [ 0, 1 ] } ] } ] })")
        == names{"sequence_batching"});
}

TEST_CASE("unknown fields are passed over in every form that the text format has") {
  for (const std::string value :
       {": [ ]", " [ ]", " [ { }, < > ]", ": [ { a [ { } ] } ]", " < a: 1, b: -inf; c: .5 >",
        ": { [some.extension] [ { a: 1 } ] }", ": 'one' \"text\"", ": [ A, - 5, 0x1F, 1.5f ]",
        " {\n# a } in a comment\n}", ": \"}\"", "[{}]"}) {
    CHECK(unused_in("field" + value) == names{"field"});
    CHECK(unused_in("\tfield" + value + "\tfield" + value + ", other: 1;")
          == names{"field", "other"});
  }
  CHECK(unused_in("[some.extension] { a: 1 } [type.googleapis.com/foo.Bar]: { }")
        == names{"[some.extension]", "[type.googleapis.com/foo.Bar]"});
}

TEST_CASE("known fields around unknown ones stay, and what is wrong with them is named in place") {
  const auto read = parse_triton_text(R"(
one [ { } ] max_batch_size: 4 two: [ ] backend: "py" "torch"
input { three: 1 name: "x" four { } data_type: TYPE_FP32 dims: [ 1 ] }
output { name: "y" data_type: TYPE_FP32 five [ { } ] dims: 2 } # six: 6
)");
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  CHECK(read->spec.max_batch_size == 4);
  CHECK(read->spec.inputs.at(0).name == "x");
  CHECK(read->spec.outputs.at(0).dims == std::vector<std::int64_t>{2});
  CHECK(read->unused == names{"one", "two", "three", "four", "five"});

  CHECK(problem_in("zz [ { } ]\nzz: 1\tmax_batch_size: \"8\"")
        == "line 2, column 25: Expected integer, got: \"8\"");
  CHECK(problem_in("name: \"a\" zz: 1 \"b\"")
        == "line 1, column 17: expected the name of a field, got \"b\"");
  CHECK(problem_in("zz 5") == "line 1, column 4: expected \":\", got \"5\"");
  CHECK(problem_in("zz [ { } { } ]") == "line 1, column 10: expected \",\" or \"]\", got \"{\"");
  CHECK(problem_in("zz {\n") == "line 2, column 1: expected the name of a field, got the end");
  CHECK(problem_in("zz { >") == "line 1, column 6: expected \"}\", got \">\"");
  CHECK(problem_in("zz: ]") == "line 1, column 5: expected a value, got \"]\"");
  CHECK(problem_in("zz: \"a").starts_with("line 1, column 7: "));
}

TEST_CASE("a configuration that is nested without an end is refused, and a deep one is not") {
  CHECK(unused_in("zz " + repeated("{ a ", 90) + "{ }" + repeated("}", 90)) == names{"zz"});
  CHECK(unused_in("zz " + repeated("[ ", 90) + repeated("]", 90)) == names{"zz"});
  for (const std::string begin : {"zz { a ", "zz [ ", "zz < a [ ", "zz: [ { a: ", "input { a "}) {
    const std::string deeper = begin.substr(begin.find(' ') + 1);
    CHECK(problem_in(begin + repeated(deeper, 200'000))
            .find("expected at most 100 messages and lists in one another")
          != std::string::npos);
  }
}

TEST_CASE("settings that are read and have no effect are named as well") {
  CHECK(unused_in("dynamic_batching { preserve_ordering: true }")
        == names{"dynamic_batching.preserve_ordering"});
  CHECK(unused_in("instance_group [ { kind: KIND_CPU }, { kind: KIND_MODEL } ]")
        == names{"instance_group[1].kind=KIND_MODEL"});
  CHECK(unused_in(R"(parameters { key: "INFERENCE_MODE" value { string_value: "true" } }
parameters { key: "colour" value { string_value: "blue" } } zz: 1)")
        == names{"zz", "parameters.INFERENCE_MODE"});
}

TEST_CASE("a model with settings that are not used is served, and they are named in a warning") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "m/config.pbtxt", good_text + "batch_input [ { } ]\n");
  tests::write_file(folder / "m/1/model.pt", "bytes");
  tests::write_file(folder / "deep/config.pbtxt", good_text + "zz " + repeated("{ a ", 200'000));
  tests::write_file(folder / "deep/1/model.pt", "bytes");
  auto ordered = tests::simple_spec(1, 1, 4);
  ordered.name.clear();
  ordered.batching.preserve_ordering = true;
  tests::write_file(folder / "ordered/config.toml", to_toml(ordered));
  tests::write_file(folder / "ordered/1/model.pt", "bytes");
  const auto opened = repository::open({folder.path(), 1 << 20, 3});
  REQUIRE(opened);
  CHECK(opened->find("m", "1").has_value());
  CHECK(opened->warnings()
        == names{"m: config.pbtxt: not used here: batch_input",
                 "ordered: config.toml: not used here: batching.preserve_ordering"});
  CHECK(tests::any_contains(opened->problems(), "deep: config.pbtxt: line 5, column "));
}

TEST_CASE("priorities beyond 32 bits are refused and not cut off") {
  CHECK(problem_in(good_text
                   + "dynamic_batching { priority_levels: 4294967297 "
                     "default_priority_level: 4294967297 }")
        == "priority levels: expected at most 1000");
  CHECK(problem_in(good_text
                   + "dynamic_batching { priority_levels: 2 default_priority_level: 4294967297 }")
        == "default priority: expected 1 to 2");
  CHECK(problem_in(good_text
                   + "dynamic_batching { priority_levels: 2 default_priority_level: 1 "
                     "priority_queue_policy { key: 4294967297 value { } } }")
        == "the queue policy of priority 4294967297 belongs to no priority level");
}
