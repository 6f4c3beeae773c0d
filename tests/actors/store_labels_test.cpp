// MODELS and labels of outputs that come with a load: they stay with the repository's model.
#include "tests/actors/serving_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

using labels = std::vector<std::string>;

/// The echo's output once more, with this beside it.
std::string config_with(const std::string& member, const std::string& more = "") {
  return R"({"output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [4], )" + member + "}]"
         + more + "}";
}

struct labels_fixture : serving_fixture {
  runtime::expected<served_models> send(const std::string& config,
                                        const std::map<std::string, std::string>& texts = {}) {
    load_served_model wish{"echo", "", config, 10'000};
    for (const auto& [name, text] : texts)
      wish.files.emplace(name, runtime::bytes::copy_of(text));
    return ask<served_models>(catalogue, wish);
  }

  std::string refusal_of(const std::string& config,
                         const std::map<std::string, std::string>& texts = {}) {
    const auto answer = send(config, texts);
    REQUIRE_FALSE(answer);
    CHECK(answer.error().code == error_code::bad_input);
    return answer.error().message;
  }

  /// As ROUTER was told last.
  const model_entry& served() const {
    for (const served_version& each : told.back().versions)
      if (each.model.name == "echo" && each.state == serving_state::ready)
        return each.model;
    FAIL("nothing is served");
    return told.back().versions.front().model;
  }
};

const labels pets{"cat", "dog", "owl", "rat"};

}  // namespace

TEST_CASE("labels that come with a load are served with the repository's model, over a restart") {
  labels_fixture f;
  const auto before = f.served();
  REQUIRE(f.send(config_with(R"("label_filename": "pets.txt")"),
                 {{"pets.txt", "cat\r\ndog\nowl\nrat\n"}}));
  CHECK(f.served().spec.outputs.front().labels == pets);
  CHECK(f.served().digest == before.digest);
  CHECK(f.served().revision > before.revision);
  f.start();
  CHECK(f.served().spec.outputs.front().labels == pets);
  REQUIRE(f.load("echo"));
  CHECK(f.served().spec.outputs.front().labels.empty());
}

TEST_CASE("labels may stand in the configuration, and one that was shown keeps them") {
  labels_fixture f;
  REQUIRE(f.send(config_with(R"("labels": ["cat", "dog", "owl", "rat"])")));
  CHECK(f.served().spec.outputs.front().labels == pets);
  REQUIRE(f.send(config_with(R"("label_filename": "labels.txt")", R"(, "max_batch_size": 2)")));
  CHECK(f.served().spec.max_batch_size == 2);
  CHECK(f.served().spec.outputs.front().labels == pets);
}

TEST_CASE("a file of labels in the model's folder is read when a load names it") {
  labels_fixture f;
  write_file(f.folder / "models/echo/pets.txt", "cat\ndog\nowl\nrat\n");
  REQUIRE(f.send(config_with(R"("label_filename": "pets.txt")")));
  CHECK(f.served().spec.outputs.front().labels == pets);
}

TEST_CASE("labels that are missing, too few or for no output are refused by name") {
  labels_fixture f;
  const std::string config = config_with(R"("label_filename": "pets.txt")");
  CHECK(f.refusal_of(config).starts_with(
    "failed to load 'echo', parameters.file:pets.txt: expected this file"));
  CHECK(f.refusal_of(config, {{"pets.txt", "cat\ndog\n"}}).find("expected 4 labels")
        != std::string::npos);
  CHECK(f.refusal_of(config, {{"pets.txt", ""}}).find("pets.txt") != std::string::npos);
  CHECK(f.refusal_of(config, {{"pets.txt", "cat\ndog\nowl\nrat\n"}, {"more.txt", "x"}})
          .find("parameters.file:more.txt: expected a file of a version, or one that")
        != std::string::npos);
  CHECK(f.refusal_of("", {{"pets.txt", "cat\n"}}).find("parameters.file:pets.txt")
        != std::string::npos);
  CHECK(f.refusal_of(config_with(R"("label_filename": "../../secret")")).find("plain name")
        != std::string::npos);
  CHECK(f.refusal_of("{", {{"pets.txt", "cat\n"}}).find("not JSON") != std::string::npos);
  CHECK(f.served().spec.outputs.front().labels.empty());
}

TEST_CASE("the labels of a version that is uploaded are those of all versions that are served") {
  labels_fixture f;
  const std::string all = "\n[versions]\nchoice = \"all\"\n";
  REQUIRE(f.push("digits", "one", config_text + all));
  const auto old = f.entry_now("digits", "1");
  CHECK(old.spec.outputs.front().labels.empty());
  const auto entered = f.push("digits", "two", config_text + "labels = [\"no\", \"yes\"]\n" + all);
  REQUIRE_MESSAGE(entered, (entered ? "" : entered.error().message));
  CHECK(f.states("digits") == "1:ready 2:ready");
  CHECK(f.entry_now("digits", "1").spec.outputs.front().labels == labels{"no", "yes"});
  CHECK(f.entry_now("digits", "1").revision == f.entry_now("digits", "2").revision);
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().revision == old.revision);
}
