#include <doctest/doctest.h>

#include "actors/store/model_check.hpp"
#include "runtime/digest.hpp"
#include "tests/actors/models_fixture.hpp"
#include "tests/actors/serving_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("an uploaded model is found, listed and handed out in chunks by its digest") {
  models_fixture f;
  const std::string content(2'500'000, 'm');
  REQUIRE(f.send_block("u1", 0, content.substr(0, 1'000'000)));
  CHECK(f.send_block("u1", 1'000'000, content.substr(1'000'000))->received == content.size());
  const auto entered = f.ask<model_entry>(f.catalogue, f.finishing("u1", content));
  REQUIRE_MESSAGE(entered, (entered ? "" : entered.error().message));
  CHECK(entered->name == "digits");
  CHECK(entered->version == "1");
  CHECK(entered->digest == runtime::sha256_hex(content));
  CHECK(entered->spec.inputs.at(0).name == "x");
  CHECK(f.staged() == 0);
  CHECK(*f.ask<model_entry>(f.catalogue, find_model{"digits", ""}) == *entered);
  CHECK(f.ask<model_entry>(f.catalogue, find_model{"digits", "2"}).error().code
        == error_code::model_not_found);
  CHECK(f.versions() == 1);
  std::string read;
  while (read.size() < content.size()) {
    const auto part
      = f.ask<chunk>(f.catalogue, fetch_chunk{entered->digest, read.size(), 1 << 20});
    REQUIRE(part);
    CHECK(part->total_size == content.size());
    REQUIRE_FALSE(part->data.empty());
    read += part->data.view();
  }
  CHECK(read == content);
}

TEST_CASE("a file that is no model is refused with what the program said, and leaves nothing") {
  models_fixture f;
  const auto refused = f.push("broken bytes");
  CHECK(refused.error().code == error_code::bad_model);
  CHECK(refused.error().message == "not a program");
  CHECK(refused.error().details == std::vector<std::string>{"first line", "not a program"});
  CHECK(f.versions() == 0);
  CHECK(f.staged() == 0);
  CHECK(f.push("whole bytes")->version == "1");
}

TEST_CASE("a file that kills the program which opens it, or never lets it end, is refused") {
  models_fixture f;
  const auto killed = f.push("murder bytes");
  CHECK(killed.error().code == error_code::bad_model);
  CHECK(killed.error().message.find("signal 11") != std::string::npos);
  f.arguments.check_timeout_ms = 100;
  f.catalogue = f.sys().spawn(model_catalogue, f.arguments);
  CHECK(f.push("endless bytes").error().code == error_code::bad_model);
  CHECK(f.versions() == 0);
  CHECK(f.staged() == 0);
}

TEST_CASE("size, digest, name, version and configuration are checked before the file is opened") {
  models_fixture f;
  const std::string content = "bytes";
  const auto finish = [&](const auto& change) {
    REQUIRE(f.send_block("u1", 0, content));
    auto request = f.finishing("u1", content);
    change(request);
    const auto refused = f.ask<model_entry>(f.catalogue, request);
    CHECK(f.staged() == 0);
    return refused.error().code;
  };
  CHECK(finish([](auto& x) { x.byte_size += 1; }) == error_code::bad_input);
  CHECK(finish([](auto& x) { x.digest[0] = x.digest[0] == 'a' ? 'b' : 'a'; })
        == error_code::corrupt);
  CHECK(finish([](auto& x) { x.name = "../digits"; }) == error_code::bad_input);
  CHECK(finish([](auto& x) { x.version = "01"; }) == error_code::bad_input);
  CHECK(finish([](auto& x) { x.config_toml = "inputs = 3"; }) == error_code::bad_input);
  CHECK(finish([](auto& x) { x.config_toml = "name = \"other\"\n" + config_text; })
        == error_code::bad_input);
  CHECK(f.ask<model_entry>(f.catalogue, f.finishing("unknown", content)).error().code
        == error_code::not_found);
  CHECK(f.versions() == 0);
}

TEST_CASE("the same version with other bytes is a conflict, and no version is the next one") {
  models_fixture f;
  CHECK(f.push("one")->version == "1");
  CHECK(f.push("two", "7")->version == "7");
  CHECK(f.push("three")->version == "8");
  CHECK(f.push("other", "7").error().code == error_code::conflict);
  CHECK(f.push("two", "7")->version == "7");
  CHECK(f.versions() == 3);
  const auto left = f.ask<model_list>(f.catalogue, remove_model{"digits", "7"});
  CHECK(left->models.size() == 2);
  CHECK(f.ask<model_list>(f.catalogue, remove_model{"digits", ""})->models.empty());
  CHECK(f.ask<model_list>(f.catalogue, remove_model{"digits", ""}).error().code
        == error_code::model_not_found);
}

TEST_CASE("a wrong offset ends the upload, and so does silence") {
  models_fixture f;
  REQUIRE(f.send_block("u1", 0, "abc"));
  CHECK(f.send_block("u1", 2, "c").error().code == error_code::bad_input);
  CHECK(f.send_block("u1", 3, "d").error().code == error_code::not_found);
  REQUIRE(f.send_block("u2", 0, "abc"));
  f.advance(50'000);
  REQUIRE(f.send_block("u3", 0, "abc"));
  REQUIRE(f.send_block("u2", 3, "def"));
  f.advance(55'000);
  REQUIRE(f.send_block("u2", 6, "ghi"));
  f.advance(59'000);
  CHECK(f.send_block("u3", 3, "def").error().code == error_code::not_found);
  CHECK(f.send_block("u2", 9, "jkl"));
  f.advance(200'000);
  CHECK(f.staged() == 0);
  CHECK(f.timers() == 0);
}

TEST_CASE("an abandoned upload leaves nothing, also while its file is being opened") {
  models_fixture f;
  REQUIRE(f.send_block("u1", 0, "abc"));
  f.send(f.catalogue, abandon_upload{"u1"});
  CHECK(f.staged() == 0);
  REQUIRE(f.send_block("u1", 0, "abc"));
  const auto reply = f.request<model_entry>(f.catalogue, f.finishing("u1", "abc"));
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(f.sys().scheduler());
  // The asker sends its request; MODELS starts the check.
  REQUIRE(scheduler.try_run_once());
  REQUIRE(scheduler.try_run_once());
  CHECK(f.staged() == 1);
  f.send(f.catalogue, abandon_upload{"u1"});
  CHECK((*reply)->error().code == error_code::cancelled);
  CHECK(f.staged() == 0);
  CHECK(f.versions() == 0);
}

TEST_CASE("blobs are handed out, too; unknown digests and wrong ranges are refused") {
  models_fixture f;
  const std::string payload(100'000, 'p');
  const auto digest = runtime::sha256_hex(payload);
  REQUIRE(f.arguments.blobs->write(digest, payload, 1));
  const auto part = f.ask<chunk>(f.catalogue, fetch_chunk{digest, 99'990, 1'000});
  CHECK(part->data.view() == "pppppppppp");
  CHECK(part->total_size == 100'000);
  const auto code = [&](fetch_chunk request) {
    return f.ask<chunk>(f.catalogue, std::move(request)).error().code;
  };
  CHECK(code({runtime::sha256_hex("x"), 0, 1}) == error_code::not_found);
  CHECK(code({digest, 100'001, 1}) == error_code::bad_input);
  CHECK(code({digest, 0, (1 << 20) + 1}) == error_code::bad_input);
  CHECK(code({digest, 0, 0}) == error_code::bad_input);
  CHECK(code({"../../etc/passwd", 0, 1}) == error_code::bad_input);
}

TEST_CASE("whoever waits for a check is answered when the catalogue ends") {
  models_fixture f;
  REQUIRE(f.send_block("u1", 0, "abc"));
  const auto reply = f.request<model_entry>(f.catalogue, f.finishing("u1", "abc"));
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(f.sys().scheduler());
  REQUIRE(scheduler.try_run_once());
  REQUIRE(scheduler.try_run_once());
  f.kill(f.catalogue, caf::exit_reason::user_shutdown);
  CHECK((*reply)->error().code == error_code::unavailable);
}

TEST_CASE("the words of a failed check are its last lines") {
  runtime::child_end end;
  end.status = 1;
  CHECK(judge_model_check(end).message == "no reason was given");
  for (int line = 0; line < 40; ++line)
    end.error_text += "line " + std::to_string(line) + "\n\n";
  const auto judged = judge_model_check(end);
  CHECK(judged.message == "line 39");
  CHECK(judged.details.size() == 20);
  CHECK(judged.details.front() == "line 20");
  end.status = 0;
  CHECK(judge_model_check(end).code == error_code::none);
  CHECK(judge_model_check(runtime::fail(error_code::internal, "no such program")).code
        == error_code::internal);
}

namespace {

/// An ensemble over four FP32 with this as its steps.
std::string ensemble_of(const std::string& steps) {
  return ensemble_text.substr(0, ensemble_text.find("[[steps]]")) + steps;
}

std::string step_of(const std::string& model, const std::string& maps) {
  return "[[steps]]\nmodel = \"" + model + "\"\n" + maps + "\n";
}

}  // namespace

TEST_CASE("an ensemble that its steps do not fit is not loaded, for a reason in words") {
  serving_fixture f;
  const auto refusal = [&](const std::string& steps) {
    write_file(f.folder / "models/made/config.toml", ensemble_of(steps));
    const auto answer = f.load("made");
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == error_code::bad_input);
    CHECK(f.states("made") != "1:ready");
    return answer.error().message;
  };
  const std::string good = "inputs = { x = \"in\" }\noutputs = { y = \"out\" }";
  const std::string plain = "inputs = { in = \"in\" }\noutputs = { out = \"out\" }";
  CHECK(refusal(step_of("none", good))
        == "failed to load 'made', steps[0].model: there is no model 'none'");
  CHECK(refusal(step_of("echo", "version = \"9\"\n" + good)).find("'echo' of version 9")
        != std::string::npos);
  CHECK(refusal(step_of("made", plain)).find("got a circle: 'made' > 'made'")
        != std::string::npos);
  CHECK(refusal(step_of("echo", "inputs = { z = \"in\" }\noutputs = { y = \"out\" }"))
          .find("steps[0].inputs.z: expected an input of 'echo'")
        != std::string::npos);
  CHECK(refusal(step_of("echo", "inputs = { x = \"in\" }\noutputs = { z = \"out\" }"))
          .find("steps[0].outputs.z: expected an output of 'echo'")
        != std::string::npos);
  write_file(f.folder / "models/wide/config.toml",
             "max_batch_size = 8\nkind = \"identity\"\n[[inputs]]\nname = \"x\"\n"
             "datatype = \"INT64\"\ndims = [4]\n[[inputs]]\nname = \"more\"\n"
             "datatype = \"FP32\"\ndims = [4]\n[[outputs]]\nname = \"y\"\n"
             "datatype = \"INT64\"\ndims = [4]\n[[outputs]]\nname = \"rest\"\n"
             "datatype = \"FP32\"\ndims = [4]\n");
  REQUIRE(f.load("wide"));
  CHECK(refusal(step_of("wide", good)).find("steps[0].inputs.x: expected INT64 of the shape")
        != std::string::npos);
  CHECK(refusal(step_of("wide", "inputs = { more = \"in\" }\noutputs = { rest = \"out\" }"))
          .find("steps[0].inputs: expected \"x\" as well")
        != std::string::npos);
  write_file(f.folder / "models/made/config.toml", ensemble_of(step_of("echo", good)));
  CHECK(f.load("made").has_value());
}

TEST_CASE("a circle of ensembles is not loaded") {
  serving_fixture f;
  const std::string plain = "inputs = { in = \"in\" }\noutputs = { out = \"out\" }";
  write_file(f.folder / "models/left/config.toml", ensemble_of(step_of("right", plain)));
  write_file(f.folder / "models/right/config.toml", ensemble_of(step_of("left", plain)));
  f.start();
  CHECK(f.states("left") == "1:unavailable");
  CHECK(f.load("left").error().message.find("'left' > 'right' > 'left'") != std::string::npos);
}

TEST_CASE("steps on two versions of a model that is not served load both") {
  serving_fixture f("explicit");
  write_file(f.folder / "models/made/config.toml",
             ensemble_of(step_of("echo", "version = \"1\"\ninputs = { x = \"in\" }\n"
                                         "outputs = { y = \"mid\" }")
                         + step_of("echo", "version = \"2\"\ninputs = { x = \"mid\" }\n"
                                           "outputs = { y = \"out\" }")));
  REQUIRE(f.load("made"));
  CHECK(f.states("echo") == "1:ready 2:ready 3:unknown");
  CHECK(f.states("made") == "1:ready");
}

TEST_CASE("ensembles of many steps over each other are looked at once each") {
  serving_fixture f;
  std::string below = "echo";
  std::string maps = "inputs = { x = \"in\" }\noutputs = { y = ";
  for (int level = 1; level <= 6; ++level) {
    std::string steps;
    for (int step = 0; step < 60; ++step)
      steps += step_of(below, maps + (step == 0 ? "\"out\" }" : "\"t" + std::to_string(step)
                                                                    + "\" }"));
    below = "level" + std::to_string(level);
    maps = "inputs = { in = \"in\" }\noutputs = { out = ";
    write_file(f.folder / ("models/" + below) / "config.toml", ensemble_of(steps));
  }
  f.start();
  CHECK(f.states("level6") == "1:ready");
  REQUIRE(f.load("level6"));
  REQUIRE(f.unload("echo"));
  CHECK(f.states("level6") == "1:unavailable");
}
