#include "models/sent_model.hpp"

#include <doctest/doctest.h>

#include "models/sent_store.hpp"
#include "runtime/digest.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using namespace dim::models;
using runtime::error_code;

namespace {

const std::string config = R"({"default_model_filename": "net.pt", "max_batch_size": 4,
  "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": [4]}],
  "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [2],
              "label_filename": "labels.txt"}]})";

const std::string plain_config = R"({"backend": "identity",
  "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": [4]}],
  "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [4]}]})";

runtime::bytes text(std::string_view content) {
  return runtime::bytes::copy_of(content);
}

const sent_files whole = {{"labels.txt", text("cat\r\ndog\n")},
                          {"2/net.pt", text("two")},
                          {"11/net.pt", text("eleven")},
                          {"11/extra/notes.txt", text("unread")}};

}  // namespace

TEST_CASE("what was sent is read as the model's folder would be") {
  const auto model = read_sent_model("pets", config, whole);
  REQUIRE_MESSAGE(model, (model ? "" : model.error().message));
  CHECK(model->spec.name == "pets");
  CHECK(model->spec.kind == model_kind::torchscript);
  CHECK(model->spec.max_batch_size == 4);
  CHECK(model->spec.outputs.front().labels == std::vector<std::string>{"cat", "dog"});
  REQUIRE(model->versions.size() == 2);
  CHECK(model->spec.file_name == "net.pt");
  CHECK(model->versions.at(2).view() == "two");
  CHECK(model->versions.at(11).view() == "eleven");
  CHECK(model->unused == std::vector<std::string>{"11/extra/notes.txt"});
}

TEST_CASE("a model that has no file is served by its configuration") {
  const auto model = read_sent_model("echo", plain_config, {{"3/any", text("")}});
  REQUIRE_MESSAGE(model, (model ? "" : model.error().message));
  CHECK(model->versions.at(3).view() == to_toml(model->spec));
  CHECK(model->unused.size() == 1);
}

TEST_CASE("a file that is missing is named, and so is a missing version or configuration") {
  const auto problem = [](const std::string& with, const sent_files& files) {
    const auto model = read_sent_model("pets", with, files);
    REQUIRE_FALSE(model);
    CHECK(model.error().code == error_code::bad_input);
    return model.error().message;
  };
  sent_files files = whole;
  files.erase("labels.txt");
  CHECK(problem(config, files).starts_with("parameters.file:labels.txt: expected"));
  files = whole;
  files.erase("11/net.pt");
  CHECK(problem(config, files).starts_with("parameters.file:11/net.pt: expected"));
  CHECK(problem(config, {{"labels.txt", text("a\nb\n")}}).find("file:1/net.pt")
        != std::string::npos);
  CHECK(problem("", whole).starts_with("parameters.config: expected"));
  CHECK(problem("{\"name\": \"other\"" + ("," + config.substr(1)), whole).find("other")
        != std::string::npos);
  CHECK_FALSE(read_sent_model("../pets", config, whole));
  CHECK(read_sent_model("pets", R"({"backend": "onnxruntime"})", whole).error().code
        == error_code::bad_input);
}

TEST_CASE("a path that is none of a file of a version, or of the model, is refused by name") {
  for (const std::string path :
       {"/1/net.pt", "1/../net.pt", "../net.pt", "1//net.pt", "1/", "", "0/net.pt", "01/net.pt",
        "one/net.pt", "1.5/net.pt", "-1/net.pt", "1/.net.pt", ".labels", "1/a\\b", "1/a\nb",
        "99999999999999999999999/net.pt"}) {
    CAPTURE(path);
    sent_files files = whole;
    files.emplace(path, text("x"));
    const auto model = read_sent_model("pets", config, files);
    REQUIRE_FALSE(model);
    CHECK(model.error().code == error_code::bad_input);
    CHECK(model.error().message.starts_with("parameters.file:" + path + ": expected"));
  }
  sent_files files = whole;
  files.emplace("1/" + std::string(2'000, 'a'), text("x"));
  CHECK_FALSE(read_sent_model("pets", config, files));
}

TEST_CASE("more files than may be sent are refused") {
  sent_files files = whole;
  while (files.size() < sent_files_max)
    files.emplace("2/more" + std::to_string(files.size()), text("x"));
  CHECK(read_sent_model("pets", config, files).has_value());
  files.emplace("2/last", text("x"));
  CHECK(read_sent_model("pets", config, files).error().message
        == "parameters: expected at most 1024 files, got 1025");
}

TEST_CASE("a file that was sent is there by its digest until it is needed no longer") {
  tests::temporary_folder folder;
  tests::write_file(folder / "sent/earlier", "from another process");
  sent_store store{folder / "sent"};
  CHECK_FALSE(std::filesystem::exists(folder / "sent/earlier"));
  const auto one = store.put(text("one"));
  const auto two = store.put(text("two"));
  REQUIRE((one && two && store.put(text("one"))));
  CHECK(*one == runtime::sha256_hex("one"));
  CHECK(store.digests().size() == 2);
  const auto part = store.read_chunk(*two, 1, 10);
  REQUIRE(part);
  CHECK(part->data.view() == "wo");
  CHECK(part->total_size == 3);
  CHECK(store.read_chunk(runtime::sha256_hex("three"), 0, 1).error().code
        == error_code::not_found);
  store.keep_only({*two});
  CHECK(store.read_chunk(*one, 0, 1).error().code == error_code::not_found);
  CHECK_FALSE(std::filesystem::exists(folder / "sent" / *one));
  CHECK(store.read_chunk(*two, 0, 3)->data.view() == "two");
}
