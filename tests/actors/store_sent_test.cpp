// MODELS and models whose files come with the load.
#include <set>

#include "models/sent_model.hpp"
#include "runtime/digest.hpp"
#include "tests/actors/serving_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

const std::string torch_config = R"({"backend": "pytorch", "max_batch_size": 4,
  "input": [{"name": "x", "data_type": "TYPE_FP32", "dims": [4]}],
  "output": [{"name": "y", "data_type": "TYPE_FP32", "dims": [2]}]})";

/// The same, of which all versions are served.
const std::string all_config = R"({"version_policy": {"all": {}},)" + torch_config.substr(1);

models::sent_files files_of(std::initializer_list<std::pair<std::string, std::string>> texts) {
  models::sent_files files;
  for (const auto& [path, text] : texts)
    files.emplace(path, runtime::bytes::copy_of(text));
  return files;
}

struct sent_fixture : serving_fixture {
  using serving_fixture::serving_fixture;

  runtime::expected<served_models> send(const std::string& name, const models::sent_files& files,
                                        const std::string& with = torch_config) {
    return ask<served_models>(catalogue, load_served_model{name, "", with, 10'000, files});
  }

  model_entry entry(const std::string& name, const std::string& version) {
    const auto found = ask<model_entry>(catalogue, find_model{name, version});
    REQUIRE(found);
    return *found;
  }

  /// What a node gets that asks for the file.
  std::string fetched(const std::string& digest) {
    const auto part = ask<chunk>(catalogue, fetch_chunk{digest, 0, 1'000});
    return part ? std::string{part->data.view()} : "none";
  }

  std::size_t files_kept() const {
    const auto place = folder.path() / "models/.staging/.sent";
    if (!std::filesystem::exists(place))
      return 0;
    return static_cast<std::size_t>(
      std::distance(std::filesystem::directory_iterator{place}, {}));
  }
};

}  // namespace

TEST_CASE("files that come with a load are served in place of the repository's, all of them") {
  sent_fixture f;
  const auto old = f.entry("echo", "3");
  REQUIRE(f.send("echo", files_of({{"1/model.pt", "one"}, {"7/model.pt", "seven"}})));
  CHECK(f.states("echo") == "1:unknown 7:ready");
  const auto now = f.entry("echo", "7");
  CHECK(now.spec.kind == models::model_kind::torchscript);
  CHECK(now.spec.max_batch_size == 4);
  CHECK(now.spec.outputs.front().dims == std::vector<std::int64_t>{2});
  CHECK(now.byte_size == 5);
  CHECK(now.digest == runtime::sha256_hex("seven"));
  CHECK(now.revision > old.revision);
  CHECK(f.fetched(now.digest) == "seven");
  REQUIRE(f.prepared.size() == 1);
  CHECK(f.prepared.front() == now);
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().digest == old.digest);
  CHECK(f.retired.front().version == "3");
}

TEST_CASE("two versions that were sent are served side by side, and one of them is unloaded") {
  sent_fixture f;
  REQUIRE(f.send("echo", files_of({{"1/model.pt", "one"}, {"2/model.pt", "two"}}), all_config));
  CHECK(f.states("echo") == "1:ready 2:ready");
  CHECK(f.fetched(f.entry("echo", "1").digest) == "one");
  CHECK(f.fetched(f.entry("echo", "2").digest) == "two");
  REQUIRE(f.unload("echo", "1"));
  CHECK(f.states("echo") == "1:unavailable 2:ready");
  REQUIRE(f.unload("echo", "2"));
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:unknown");
  CHECK(f.entry("echo", "2").spec.kind == models::model_kind::identity);
  CHECK(f.files_kept() == 0);
}

TEST_CASE("the next load without files serves the repository's again, and the files go") {
  sent_fixture f;
  const auto old = f.entry("echo", "3");
  REQUIRE(f.send("echo", files_of({{"3/model.pt", "three"}})));
  const auto sent = f.entry("echo", "3");
  CHECK(f.files_kept() == 1);
  REQUIRE(f.load("echo"));
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  const auto now = f.entry("echo", "3");
  CHECK(now.digest == old.digest);
  CHECK(now.spec == old.spec);
  CHECK(now.revision > sent.revision);
  CHECK(f.retired.back().digest == sent.digest);
  CHECK(f.files_kept() == 0);
  CHECK(f.fetched(sent.digest) == "none");
}

TEST_CASE("a name that the repository does not have is served, and unloaded it is gone") {
  sent_fixture f;
  REQUIRE(f.send("new", files_of({{"1/model.pt", "one"}})));
  CHECK(f.states("new") == "1:ready");
  CHECK(f.ask<served_models>(f.catalogue, get_served_models{"new"})->versions.size() == 1);
  const auto again = f.load("new");
  CHECK(again.error().code == error_code::model_not_found);
  CHECK(f.states("new") == "1:ready");
  const auto unloaded = f.unload("new");
  REQUIRE(unloaded);
  CHECK(unloaded->versions.empty());
  CHECK(f.states("new").empty());
  CHECK(f.ask<served_models>(f.catalogue, get_served_models{"new"}).error().code
        == error_code::model_not_found);
  CHECK(f.files_kept() == 0);
  // One that comes into the repository afterwards was never unloaded.
  write_file(f.folder / "models/new/config.toml", echo_text);
  f.start();
  CHECK(f.states("new") == "1:ready");
}

TEST_CASE("files that no node can serve leave the old ones in service, whatever these are") {
  sent_fixture f;
  const auto own = f.entry("echo", "3");
  f.refusal = runtime::failure{error_code::bad_model, "it is no program", {}};
  const auto refused = f.send("echo", files_of({{"3/model.pt", "bad"}, {"9/model.pt", "bad"}}));
  CHECK(refused.error().code == error_code::bad_model);
  CHECK(refused.error().message == "failed to load 'echo', it is no program");
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  CHECK(f.entry("echo", "3") == own);
  CHECK(f.send("new", files_of({{"1/model.pt", "bad"}})).error().code == error_code::bad_model);
  CHECK(f.states("new").empty());
  CHECK(f.files_kept() == 0);
  f.refusal.reset();
  REQUIRE(f.send("echo", files_of({{"3/model.pt", "good"}})));
  const auto good = f.entry("echo", "3");
  f.refusal = runtime::failure{error_code::bad_model, "it is no program", {}};
  CHECK_FALSE(f.send("echo", files_of({{"3/model.pt", "bad"}})));
  CHECK_FALSE(f.load("echo"));
  CHECK(f.entry("echo", "3") == good);
  CHECK(f.fetched(good.digest) == "good");
}

TEST_CASE("no two configurations of a file share a revision, over failures, reloads and restarts") {
  sent_fixture f;
  std::set<std::uint32_t> revisions{f.entry("echo", "3").revision};
  const auto note = [&] { CHECK(revisions.insert(f.prepared.back().revision).second); };
  REQUIRE(f.send("echo", files_of({{"3/model.pt", "three"}})));
  note();
  f.refusal = runtime::failure{error_code::bad_model, "it is no program", {}};
  CHECK_FALSE(f.send("echo", files_of({{"3/model.pt", "three"}}), all_config));
  note();
  CHECK_FALSE(f.load("echo", "", R"({"max_batch_size": 2})"));
  note();
  f.refusal.reset();
  REQUIRE(f.load("echo"));
  note();
  f.start();
  REQUIRE(f.send("echo", files_of({{"3/model.pt", "three"}})));
  note();
  REQUIRE(f.send("new", files_of({{"1/model.pt", "one"}})));
  const auto first = f.prepared.back().revision;
  f.start();
  REQUIRE(f.send("new", files_of({{"1/model.pt", "one"}}), all_config));
  CHECK(f.prepared.back().revision > first);
}

TEST_CASE("what was sent is gone after a restart, and the repository's is served as before") {
  sent_fixture f("explicit");
  REQUIRE(f.load("echo", "", R"({"max_batch_size": 2})"));
  REQUIRE(f.send("echo", files_of({{"3/model.pt", "three"}})));
  REQUIRE(f.send("new", files_of({{"1/model.pt", "one"}})));
  f.start();
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  CHECK(f.entry("echo", "3").spec.max_batch_size == 2);
  CHECK(f.entry("echo", "3").spec.kind == models::model_kind::identity);
  CHECK(f.states("new").empty());
  CHECK(f.files_kept() == 0);
}

TEST_CASE("files without a configuration, of wrong names, or beside a version are refused") {
  sent_fixture f;
  const auto refusal = [&](const load_served_model& wish) {
    const auto reply = f.ask<served_models>(f.catalogue, wish);
    REQUIRE_FALSE(reply);
    CHECK(reply.error().code == error_code::bad_input);
    CHECK(reply.error().message.starts_with("failed to load 'echo', "));
    return reply.error().message;
  };
  const auto files = files_of({{"1/model.pt", "one"}});
  CHECK(refusal({"echo", "", "", 10'000, files}).find("parameters.config") != std::string::npos);
  CHECK(refusal({"echo", "1", torch_config, 10'000, files}).find("version") != std::string::npos);
  CHECK(refusal({"echo", "", torch_config, 10'000, files_of({{"1/../model.pt", "one"}})})
          .find("parameters.file:1/../model.pt")
        != std::string::npos);
  CHECK(refusal({"echo", "", torch_config, 10'000, files_of({{"1/other.pt", "one"}})})
          .find("parameters.file:1/model.pt")
        != std::string::npos);
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  CHECK(f.prepared.empty());
  CHECK(f.files_kept() == 0);
}

TEST_CASE("an alias keeps its name, and the number of models that are sent has a limit") {
  sent_fixture f;
  REQUIRE(f.ask<model_alias>(f.catalogue, set_model_alias{"best", {"echo", ""}}));
  const auto files = files_of({{"1/model.pt", "one"}});
  CHECK(f.send("best", files).error().code == error_code::conflict);
  REQUIRE(f.send("new", files));
  CHECK(f.ask<model_alias>(f.catalogue, set_model_alias{"new", {"echo", ""}}).error().code
        == error_code::conflict);

  serving_table table;
  std::optional<runtime::failure> refused;
  for (int number = 0; number < 1'000 && !refused; ++number) {
    model_entry entry = f.entry("new", "1");
    entry.name = "m" + std::to_string(number);
    const auto plan = table.plan_sent(entry.name, {entry});
    if (plan)
      CHECK(table.finish_load(*plan).empty());
    else
      refused = plan.error();
  }
  REQUIRE(refused);
  CHECK(refused->code == error_code::overloaded);
  CHECK(table.all().versions.size() == 256);
  CHECK(table.plan_sent("m7", {f.entry("new", "1")}).has_value());
}

TEST_CASE("a load with files waits for no other, and another waits for none with files") {
  sent_fixture f;
  using promises = std::vector<caf::typed_response_promise<model_prepared>>;
  const auto silent = f.sys().spawn([](caf::event_based_actor* self) -> caf::behavior {
    return {[self, held = std::make_shared<promises>()](const prepare_model&) {
              return held->emplace_back(self->make_response_promise<model_prepared>());
            },
            [](const served_models&) {}, [](const retire_model&) { return model_retired{}; }};
  });
  f.arguments.router.set(caf::actor_cast<router_actor>(silent));
  const auto files = files_of({{"1/model.pt", "one"}});
  const load_served_model wish{"echo", "", torch_config, 10'000, files};
  const auto first = f.request<served_models>(f.catalogue, wish);
  f.run();
  CHECK(f.ask<served_models>(f.catalogue, wish).error().code == error_code::conflict);
  CHECK(f.load("echo").error().code == error_code::conflict);
  // Its files are there for the nodes before it is over.
  CHECK(f.fetched(runtime::sha256_hex("one")) == "one");
  f.advance(12'000);
  REQUIRE(first->has_value());
  CHECK_FALSE((*first)->has_value());
  CHECK(f.fetched(runtime::sha256_hex("one")) == "none");
  // The promises that it holds hold it.
  f.kill(silent);
}
