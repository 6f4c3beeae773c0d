#include "models/triton_config.hpp"

#include <doctest/doctest.h>

#include "models/repository.hpp"
#include "runtime/digest.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::models;
using runtime::error_code;

namespace {

using groups = std::vector<instance_group>;

const std::string torch_text = R"(
name: "digits"
platform: "pytorch_libtorch"
max_batch_size: 16
input [
  { name: "INPUT__0" data_type: TYPE_FP32 dims: [ 3, -1 ] }
]
output {
  name: "OUTPUT__0"
  data_type: TYPE_FP32
  dims: [ 2 ]
  label_filename: "labels.txt"
}
version_policy: { specific { versions: [ 1, 3 ] } }
instance_group [ { count: 2 kind: KIND_CPU } ]
dynamic_batching {
  preferred_batch_size: [ 8, 4 ]
  max_queue_delay_microseconds: 250
  priority_levels: 2
  default_priority_level: 2
  default_queue_policy {
    timeout_action: DELAY default_timeout_microseconds: 9000 max_queue_size: 5
  }
  priority_queue_policy { key: 1 value { allow_timeout_override: true } }
}
model_warmup [ {
  name: "first"
  batch_size: 4
  inputs { key: "INPUT__0" value { data_type: TYPE_FP32 dims: [ 3, 7 ] random_data: true } }
} ]
parameters: { key: "isolation" value: { string_value: "thread" } }
parameters: { key: "colour" value: { string_value: "blue" } }
optimization { execution_accelerators { gpu_execution_accelerator : [ { name : "x" } ] } }
metric_tags { key: "a" value: "b" }
response_cache { enable: true }
default_model_filename: "net.pt"
)";

}  // namespace

TEST_CASE("a config.pbtxt of a TorchScript model is read as it is, and what is unused is named") {
  const auto read = parse_triton_text(torch_text);
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  const model_spec& spec = read->spec;
  CHECK(spec.name == "digits");
  CHECK(spec.kind == model_kind::torchscript);
  CHECK(spec.max_batch_size == 16);
  CHECK(spec.inputs.at(0).dims == std::vector<std::int64_t>{3, -1});
  CHECK(spec.outputs.at(0).type == datatype::fp32);
  CHECK(spec.served.choice == version_choice::specific);
  CHECK(spec.served.versions == std::vector<std::uint64_t>{1, 3});
  CHECK(spec.instances == groups{{2, instance_kind::cpu, {}}});
  CHECK(spec.batching.preferred_sizes == std::vector<std::int64_t>{4, 8});
  CHECK(spec.batch_delay_max_us == 250);
  CHECK(spec.batching.default_queue == queue_policy{timeout_action::delay, 9'000, false, 5});
  CHECK(spec.batching.queue_by_priority.at(1).allow_timeout_override);
  CHECK(spec.warm_up.at(0).rows == 4);
  CHECK(spec.warm_up.at(0).data == warm_up_data::random);
  CHECK(spec.warm_up.at(0).dims.at("INPUT__0") == std::vector<std::int64_t>{3, 7});
  CHECK(spec.isolated == isolation::thread);
  CHECK(spec.parameters == std::map<std::string, std::string>{{"colour", "blue"}});
  CHECK(spec.response_cache);
  CHECK(spec.file_name == "net.pt");
  CHECK(read->label_files.at("OUTPUT__0") == "labels.txt");
  CHECK(read->unused == std::vector<std::string>{"optimization", "metric_tags"});
}

TEST_CASE("reshapes and optional inputs are read, shown as JSON and laid over one by one") {
  const std::string text = R"(backend: "pytorch" max_batch_size: 4
input { name: "a" data_type: TYPE_FP32 dims: [ 4 ] reshape { shape: [ 2, 2 ] } }
input { name: "b" data_type: TYPE_FP32 dims: [ 1 ] reshape { shape: [ ] } optional: true }
output { name: "y" data_type: TYPE_FP32 dims: [ -1, 2 ] reshape { shape: [ -1, 1, 2 ] } }
)";
  const auto read = parse_triton_text(text);
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  CHECK(read->unused.empty());
  const auto& inputs = read->spec.inputs;
  CHECK(inputs.at(0).reshape == std::vector<std::int64_t>{2, 2});
  CHECK(inputs.at(0).model_dims() == inputs.at(0).reshape);
  CHECK_FALSE(inputs.at(0).is_optional);
  CHECK(inputs.at(1).is_reshaped);
  CHECK(inputs.at(1).model_dims().empty());
  CHECK(inputs.at(1).is_optional);
  CHECK(read->spec.outputs.at(0).model_dims() == std::vector<std::int64_t>{-1, 1, 2});

  auto named = read->spec;
  named.name = "shapes";
  model_spec bare;
  bare.name = named.name;
  CHECK(*parse_triton_json(to_triton_json(named), bare) == named);
  CHECK(parse_triton_json(R"({"max_batch_size": 2})", named)->inputs == named.inputs);
  const auto again = parse_model_spec(to_toml(named));
  REQUIRE_MESSAGE(again, (again ? "" : again.error().details.front()));
  CHECK(*again == named);

  const auto wrong = parse_triton_text(
    text + "input { name: \"c\" data_type: TYPE_FP32 dims: [ 4 ] reshape { shape: [ 3 ] } }");
  CHECK(tests::any_contains(wrong.error().details, "inputs[2].reshape: expected as many"));
  const auto scalar = parse_triton_text(text.substr(0, 19) + text.substr(text.find('\n')));
  CHECK(tests::any_contains(scalar.error().details, "inputs[1].reshape: expected at least one"));
}

TEST_CASE("config.toml has reshapes and optional inputs too, and refuses wrong ones by name") {
  const std::string head = "max_batch_size = 4\n[[inputs]]\nname = \"x\"\ndatatype = \"FP32\"\n"
                           "dims = [4]\n";
  const std::string tail = "[[outputs]]\nname = \"y\"\ndatatype = \"FP32\"\ndims = [2]\n";
  const auto read = parse_model_spec(head + "reshape = [2, 2]\noptional = true\n" + tail);
  REQUIRE_MESSAGE(read, (read ? "" : read.error().details.front()));
  CHECK(read->inputs.front().model_dims() == std::vector<std::int64_t>{2, 2});
  CHECK(read->inputs.front().is_optional);
  const auto problem = [&](const std::string& more) {
    const auto spec = parse_model_spec(more);
    return spec ? std::string{"none"} : spec.error().details.front();
  };
  CHECK(problem(head + "reshape = [3]\n" + tail).starts_with("inputs[0].reshape: expected"));
  CHECK(problem(head + "reshape = \"2\"\n" + tail).starts_with("line 6: inputs[0].reshape"));
  CHECK(problem(head + tail + "optional = true\n").starts_with("line 10: outputs[0].optional"));
  CHECK(problem("kind = \"add_sub\"\n" + head + "optional = true\n" + tail)
          .starts_with("inputs[0].optional: expected false, for a sum"));
  CHECK(problem("kind = \"delay\"\n" + head + "optional = true\nreshape = [2]\n" + tail)
          .starts_with("inputs[0].reshape: expected as many"));
  CHECK(problem("kind = \"ensemble\"\n" + head + "reshape = [2, 2]\noptional = true\n" + tail
                + "[[steps]]\nmodel = \"a\"\ninputs = { x = \"x\" }\noutputs = { y = \"y\" }\n")
        == "none");
}

TEST_CASE("instance groups are read one by one, and what can not be served is refused by name") {
  const std::string head = R"(backend: "pytorch"
input { name: "x" data_type: TYPE_FP32 dims: 1 } output { name: "y" data_type: TYPE_FP32 dims: 1 }
)";
  const auto read = [&](const std::string& text) {
    const auto found = parse_triton_text(head + "instance_group [" + text + "]");
    REQUIRE_MESSAGE(found, (found ? "" : found.error().message));
    return found->spec.instances;
  };
  CHECK(read("{ count: 4 kind: KIND_CPU }") == groups{{4, instance_kind::cpu, {}}});
  CHECK(read("{ kind: KIND_GPU gpus: [ 0 ] }") == groups{{1, instance_kind::gpu, {0}}});
  CHECK(read("{ kind: KIND_AUTO }, { kind: KIND_MODEL }") == groups{{}, {}});
  CHECK(read("{ count: 2 gpus: [ 1, 0 ] }") == groups{{2, instance_kind::automatic, {1, 0}}});
  CHECK(read("{ name: \"any\" }") == groups{{}});
  CHECK(read("") == groups{});
  CHECK(read("{ count: 2 kind: KIND_GPU gpus: [ 0 ] }, { kind: KIND_GPU gpus: [ 1, 2 ] }, "
             "{ count: 3 kind: KIND_CPU }")
        == groups{{2, instance_kind::gpu, {0}},
                  {1, instance_kind::gpu, {1, 2}},
                  {3, instance_kind::cpu, {}}});
  const auto problem = [&](const std::string& text) {
    const auto found = parse_triton_text(head + "instance_group [" + text + "]");
    REQUIRE_FALSE(found);
    CHECK(found.error().code == error_code::bad_input);
    return found.error().message;
  };
  CHECK(problem("{ kind: KIND_GPU }, { kind: KIND_CPU gpus: [ 0 ] }")
        == "instance_group[1].gpus: expected none, for the group is of KIND_CPU");
  CHECK(problem("{ gpus: [ -1 ] }")
        == "instance_group[0].gpus: expected whole numbers from 0 up, got -1");
  CHECK(problem("{ }, { count: 65 }")
        == "instance_group[1].count: expected at most 64, got 65");
  CHECK(problem("{ count: 60 }, { count: 5 }")
        == "instances: expected at most 64 on one device, in all groups together, got 65");
  CHECK(read("{ count: 60 kind: KIND_GPU gpus: [ 0 ] }, { count: 5 kind: KIND_GPU gpus: [ 1 ] }")
          .size() == 2);
}

TEST_CASE("labels take the place of the files that a configuration names, and outlive them") {
  auto base = parse_triton_text(torch_text)->spec;
  base.outputs[0].labels = {"no", "yes"};
  const auto labels_of = [](const std::string& output, const std::string& file)
    -> runtime::expected<std::vector<std::string>> {
    if (output == "OUTPUT__0" && file == "pets.txt")
      return std::vector<std::string>{"cat", "dog"};
    return runtime::fail(error_code::not_found, "no " + file + " for " + output);
  };
  const auto config = [](const std::string& labels) {
    return R"({"output": [{"name": "OUTPUT__0", "data_type": "TYPE_FP32", "dims": [2], )" + labels
           + "}]}";
  };
  const auto put = put_labels(config(R"("label_filename": "pets.txt")"), labels_of);
  REQUIRE(put);
  CHECK(parse_triton_json(*put, base)->outputs[0].labels == std::vector<std::string>{"cat", "dog"});
  CHECK(put_labels(config(R"("label_filename": "none.txt")"), labels_of).error().message
        == "no none.txt for OUTPUT__0");
  CHECK(put_labels("{", labels_of).error().code == error_code::bad_input);
  const std::string plain = R"({"max_batch_size": 2})";
  CHECK(*put_labels(plain, labels_of) == plain);
  const auto own = parse_triton_json(config(R"("labels": ["a", "b"])"), base);
  CHECK(own->outputs[0].labels == std::vector<std::string>{"a", "b"});
  const auto few = parse_triton_json(config(R"("labels": ["a"])"), base);
  CHECK(few.error().message.starts_with("outputs[0].labels: expected 2 labels"));
}

TEST_CASE("a wrong config.pbtxt is refused with the line or the field") {
  CHECK(parse_triton_text("name: \"a\"\ninput [ {").error().message.starts_with("line 2"));
  const auto other = parse_triton_text("backend: \"onnxruntime\"");
  CHECK(other.error().code == error_code::bad_input);
  CHECK(other.error().message.find("onnxruntime") != std::string::npos);
  CHECK(tests::any_contains(other.error().details, "inputs: at least one is needed"));
  const auto path = parse_triton_text(torch_text + "default_model_filename: \"../../secret\"");
  CHECK(tests::any_contains(path.error().details, "default_model_filename"));
}

TEST_CASE("an ensemble's steps stand in the order in which their inputs are there") {
  const auto read = parse_triton_text(R"(platform: "ensemble"
input { name: "IN" data_type: TYPE_INT32 dims: 16 }
output { name: "OUT" data_type: TYPE_INT32 dims: 16 }
ensemble_scheduling {
  step { model_name: "b" model_version: 2
         input_map { key: "X" value: "middle" } output_map { key: "Y" value: "OUT" } }
  step { model_name: "a" model_version: -1
         input_map { key: "X" value: "IN" } output_map { key: "Y" value: "middle" } }
})");
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  REQUIRE(read->spec.steps.size() == 2);
  CHECK(read->spec.steps[0].model == "a");
  CHECK(read->spec.steps[0].version.empty());
  CHECK(read->spec.steps[1].version == "2");
  CHECK(read->spec.steps[1].inputs.at("X") == "middle");
}

TEST_CASE("JSON changes what it names, and leaves the rest and the labels") {
  auto base = parse_triton_text(torch_text)->spec;
  base.outputs[0].labels = {"no", "yes"};
  const auto read = parse_triton_json(
    R"({"name": "digits", "max_batch_size": "32", "dynamic_batching": {}, "unknown": [1]})", base);
  REQUIRE_MESSAGE(read, (read ? "" : read.error().message));
  CHECK(read->max_batch_size == 32);
  CHECK(read->batching == batching_policy{});
  CHECK(read->file_name == "net.pt");
  CHECK(read->inputs == base.inputs);
  CHECK(read->outputs == base.outputs);
  CHECK(read->served == base.served);
  CHECK(parse_triton_json("{", base).error().code == error_code::bad_input);
  CHECK(parse_triton_json(R"({"name": "other"})", base).error().code == error_code::bad_input);
  CHECK(parse_triton_json(R"({"backend": "onnxruntime"})", base).error().code
        == error_code::bad_input);
}

TEST_CASE("what is written as JSON is read back equal") {
  const auto spec = parse_triton_text(torch_text)->spec;
  model_spec bare;
  bare.name = spec.name;
  // Files stay where they are.
  bare.file_name = spec.file_name;
  const auto again = parse_triton_json(to_triton_json(spec), bare);
  REQUIRE_MESSAGE(again, (again ? "" : again.error().message));
  CHECK(*again == spec);
}

TEST_CASE("every setting of a configuration survives the way through config.toml") {
  auto spec = parse_triton_text(torch_text)->spec;
  const auto again = parse_model_spec(to_toml(spec));
  REQUIRE_MESSAGE(again, (again ? "" : again.error().details.front()));
  CHECK(*again == spec);
}

TEST_CASE("config.toml has one group of instances, or a list of them") {
  const std::string tensors = "[[inputs]]\nname = \"x\"\ndatatype = \"FP32\"\ndims = [1]\n"
                              "[[outputs]]\nname = \"y\"\ndatatype = \"FP32\"\ndims = [2]\n";
  const auto one = parse_model_spec(tensors + "[instances]\ncount = 3\n");
  REQUIRE(one);
  CHECK(one->instances == groups{{3, instance_kind::automatic, {}}});
  const auto several = parse_model_spec(
    tensors + "[[instances]]\nkind = \"gpu\"\ngpus = [1]\n[[instances]]\ncount = 2\n");
  REQUIRE(several);
  CHECK(several->instances
        == groups{{1, instance_kind::gpu, {1}}, {2, instance_kind::automatic, {}}});
  const auto again = parse_model_spec(to_toml(*several));
  REQUIRE(again);
  CHECK(again->instances == several->instances);
  const auto none = parse_model_spec(tensors);
  REQUIRE(none);
  CHECK(none->instances.empty());
}

TEST_CASE("config.toml names what is wrong in its sections, with the line") {
  const std::string tensors = "[[inputs]]\nname = \"x\"\ndatatype = \"FP32\"\ndims = [1]\n"
                              "[[outputs]]\nname = \"y\"\ndatatype = \"FP32\"\ndims = [2]\n";
  const auto problem = [&](const std::string& text) {
    const auto read = parse_model_spec(text);
    return read ? std::string{} : read.error().details.front();
  };
  CHECK(problem("kind = \"onnx\"\n" + tensors).starts_with("line 1: kind: expected one of"));
  CHECK(problem("kind = \"identity\"\n" + tensors).starts_with("outputs: expected the types"));
  CHECK(problem("kind = \"add_sub\"\n" + tensors).starts_with("add_sub: expected two inputs"));
  CHECK(problem("kind = \"ensemble\"\n" + tensors).starts_with("steps: expected 1 to 64"));
  CHECK(problem("file = \"../m.pt\"\n" + tensors).starts_with("line 1: file: expected the plain"));
  CHECK(problem("kind = \"delay\"\nfile = \"m.pt\"\n" + tensors).ends_with("kind has no file"));
  CHECK(problem(tensors + "[batching]\nsize = 3\n").starts_with("line 10: batching.size"));
  CHECK(problem(tensors + "[instances]\ncount = 1000\n").starts_with("instances.count: "));
  CHECK(problem(tensors + "[instances]\ngpus = [-1]\n").find("gpus: expected whole numbers")
        != std::string::npos);
  CHECK(problem(tensors + "[versions]\nversions = [0]\n").find("versions.versions")
        != std::string::npos);
}

TEST_CASE("a repository in Triton's layout is read, with labels and models without files") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "digits/config.pbtxt", torch_text);
  tests::write_file(folder / "digits/labels.txt", "no\r\nyes\n");
  tests::write_file(folder / "digits/1/net.pt", "bytes");
  tests::write_file(folder / "digits/01/net.pt", "not a version");
  tests::write_file(folder / "echo/config.pbtxt",
                    "backend: \"identity\" max_batch_size: 4\n"
                    "input { name: \"I\" data_type: TYPE_STRING dims: -1 }\n"
                    "output { name: \"O\" data_type: TYPE_STRING dims: -1 }\n");
  auto opened = repository::open({folder.path(), 1 << 20, 3});
  REQUIRE(opened);
  CHECK(opened->problems().empty());
  CHECK(tests::any_contains(opened->warnings(),
                            "digits: config.pbtxt: not used here: optimization"));
  REQUIRE(opened->list().size() == 2);
  CHECK(opened->find("digits", "1")->spec.outputs.at(0).labels
        == std::vector<std::string>{"no", "yes"});
  const auto echo = *opened->find("echo", "");
  CHECK(echo.version == "1");
  const auto block = opened->read_chunk(echo.digest, 0, 1 << 20);
  REQUIRE(block);
  CHECK(block->data.view() == to_toml(echo.spec));
  CHECK(block->total_size == echo.byte_size);
  CHECK(opened->read_chunk(echo.digest, 5, 3)->data.view() == to_toml(echo.spec).substr(5, 3));
}

TEST_CASE("a model changed by hand is read again, and stays as it was when it is broken") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "digits/config.pbtxt", torch_text);
  tests::write_file(folder / "digits/labels.txt", "no\nyes\n");
  tests::write_file(folder / "digits/1/net.pt", "bytes");
  auto opened = repository::open({folder.path(), 1 << 20, 3});
  REQUIRE(opened);
  tests::write_file(folder / "digits/2/net.pt", "more bytes");
  REQUIRE(opened->read_again("digits"));
  CHECK(opened->find("digits", "")->version == "2");
  tests::write_file(folder / "digits/config.pbtxt", "broken");
  CHECK(opened->read_again("digits").error().code == error_code::bad_input);
  CHECK(opened->find("digits", "")->version == "2");
  std::filesystem::remove_all(folder / "digits");
  REQUIRE(opened->read_again("digits"));
  CHECK(opened->list().empty());
}

TEST_CASE("an uploaded version has its file where the configuration says, also after a restart") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "digits/config.pbtxt", torch_text);
  tests::write_file(folder / "digits/labels.txt", "no\nyes\n");
  tests::write_file(folder / "digits/1/net.pt", "bytes");
  auto opened = repository::open({folder.path(), 1 << 20, 3});
  REQUIRE(opened);
  auto spec = opened->find("digits", "")->spec;
  spec.file_name = "model.pt";
  for (const std::string content : {"second", "third"}) {
    REQUIRE(opened->begin_upload("u"));
    REQUIRE(opened->append("u", 0, content));
    REQUIRE(opened->seal_upload("u", content.size(), runtime::sha256_hex(content)));
    REQUIRE(opened->commit_upload("u", "digits", "", spec));
    REQUIRE(opened->read_again("digits"));
  }
  CHECK(std::filesystem::exists(folder / "digits/config.toml"));
  const auto again = repository::open({folder.path(), 1 << 20, 3});
  REQUIRE(again);
  CHECK(again->problems().empty());
  CHECK(again->list().size() == 3);
  for (const std::string content : {"bytes", "second", "third"})
    CHECK(again->path_of(runtime::sha256_hex(content))->filename() == "net.pt");
}
