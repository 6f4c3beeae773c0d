#include <set>

#include "tests/actors/serving_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

TEST_CASE("at a start every model is served by its version policy, and nothing is prepared") {
  serving_fixture f;
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  CHECK(f.states("whole") == "1:ready");
  CHECK(f.prepared.empty());
  const auto one = f.ask<served_models>(f.catalogue, get_served_models{"echo"});
  CHECK(one->versions.size() == 3);
  CHECK(one->revision == f.told.back().revision);
  CHECK(f.ask<served_models>(f.catalogue, get_served_models{"none"}).error().code
        == error_code::model_not_found);
}

TEST_CASE("with explicit control nothing is served until it is loaded") {
  serving_fixture f("explicit");
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:unknown");
  REQUIRE(f.load("echo"));
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  REQUIRE(f.prepared.size() == 1);
  CHECK(f.prepared.front().version == "3");
}

TEST_CASE("one version is loaded beside the one that is served") {
  serving_fixture f;
  REQUIRE(f.load("echo", "1"));
  CHECK(f.states("echo") == "1:ready 2:unknown 3:ready");
  CHECK(f.retired.empty());
  CHECK(f.load("echo", "7").error().code == error_code::model_not_found);
}

TEST_CASE("a model that is not there can not be loaded, in the words that clients look for") {
  serving_fixture f;
  const auto refused = f.load("none");
  CHECK(refused.error().code == error_code::model_not_found);
  CHECK(refused.error().message
        == "failed to load 'none', failed to poll from model repository");
}

TEST_CASE("a model put into the repository by hand is found by a load") {
  serving_fixture f;
  write_file(f.folder / "models/late/config.toml", echo_text);
  REQUIRE(f.load("late"));
  CHECK(f.states("late") == "1:ready");
}

TEST_CASE("a model that can not be prepared is unavailable with the reason") {
  serving_fixture f("explicit");
  f.refusal = runtime::failure{error_code::no_nodes, "no node takes it", {}};
  const auto refused = f.load("echo");
  CHECK(refused.error().code == error_code::no_nodes);
  CHECK(refused.error().message == "failed to load 'echo', no node takes it");
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:unavailable");
  CHECK(f.told.back().versions.at(2).reason == "no node takes it");
}

TEST_CASE("when one version can not be prepared, those before it are let go") {
  serving_fixture f("explicit");
  write_file(f.folder / "models/echo/config.toml",
             echo_text + "\n[versions]\nchoice = \"all\"\n");
  f.refused_version = "2";
  CHECK_FALSE(f.load("echo"));
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:unavailable");
  CHECK(f.prepared.size() == 2);
  std::set<std::string> gone;
  for (const auto& each : f.retired)
    gone.insert(each.version);
  CHECK(gone == std::set<std::string>{"1", "2", "3"});
}

TEST_CASE("a load with another configuration swaps it in, and lets the old one go") {
  serving_fixture f;
  const auto old = f.ask<model_entry>(f.catalogue, find_model{"echo", "3"});
  REQUIRE(f.load("echo", "", R"({"max_batch_size": 2})"));
  const auto now = f.ask<model_entry>(f.catalogue, find_model{"echo", "3"});
  CHECK(now->spec.max_batch_size == 2);
  CHECK(now->revision > old->revision);
  CHECK(f.prepared.back() == *now);
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().revision == old->revision);
  CHECK(f.retired.front().digest == old->digest);
  REQUIRE(f.load("echo"));
  CHECK(f.ask<model_entry>(f.catalogue, find_model{"echo", "3"})->spec.max_batch_size == 8);
  CHECK(f.ask<model_entry>(f.catalogue, find_model{"echo", "3"})->revision > now->revision);
}

TEST_CASE("a new configuration that fails leaves the old one in service") {
  serving_fixture f;
  const auto old = f.ask<model_entry>(f.catalogue, find_model{"echo", "3"});
  f.refusal = runtime::failure{error_code::memory_limit, "no room", {}};
  const auto refused = f.load("echo", "", R"({"max_batch_size": 2})");
  CHECK(refused.error().code == error_code::memory_limit);
  CHECK(f.load("echo", "", "{").error().message.starts_with("failed to load 'echo', "));
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  CHECK(*f.ask<model_entry>(f.catalogue, find_model{"echo", "3"}) == *old);
  const auto refused_revision = f.prepared.back().revision;
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().revision == refused_revision);
  f.refusal.reset();
  REQUIRE(f.load("echo", "", R"({"max_batch_size": 3})"));
  CHECK(f.prepared.back().revision > refused_revision);
}

TEST_CASE("two who load the same wait for one load, and another load meanwhile is refused") {
  serving_fixture f("explicit");
  const load_served_model wish{"echo", "", "", 10'000};
  const auto first = f.request<served_models>(f.catalogue, wish);
  const auto second = f.request<served_models>(f.catalogue, wish);
  const auto other =
    f.request<served_models>(f.catalogue, load_served_model{"echo", "1", "", 10'000});
  f.run();
  REQUIRE((first->has_value() && second->has_value() && other->has_value()));
  CHECK((*first)->has_value());
  CHECK((*second)->has_value());
  CHECK((*other).value().error().code == error_code::conflict);
  CHECK(f.prepared.size() == 1);
}

TEST_CASE("an unloaded model is retired, unavailable, and stays so over a restart") {
  serving_fixture f;
  REQUIRE(f.unload("echo"));
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:unavailable");
  CHECK(f.told.back().versions.at(2).reason == "unloaded");
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().version == "3");
  CHECK(f.ask<model_entry>(f.catalogue, find_model{"echo", ""})->version == "3");
  f.start();
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:unknown");
  REQUIRE(f.load("echo", "", R"({"version_policy": {"all": {}}})"));
  f.start();
  CHECK(f.states("echo") == "1:ready 2:ready 3:ready");
  CHECK(f.unload("none").error().code == error_code::model_not_found);
}

TEST_CASE("one version is unloaded and the others stay") {
  serving_fixture f;
  REQUIRE(f.load("echo", "", R"({"version_policy": {"specific": {"versions": [1, 2]}}})"));
  CHECK(f.states("echo") == "1:ready 2:ready 3:unavailable");
  REQUIRE(f.unload("echo", "1"));
  CHECK(f.states("echo") == "1:unavailable 2:ready 3:unavailable");
}

TEST_CASE("an ensemble is ready while its steps are, and is loaded and unloaded with them") {
  serving_fixture f;
  REQUIRE(f.unload("echo"));
  CHECK(f.states("whole") == "1:unavailable");
  REQUIRE(f.load("whole"));
  CHECK(f.states("whole") == "1:ready");
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:ready");
  CHECK(f.prepared.back().name == "echo");
  REQUIRE(f.unload("whole", "", true));
  CHECK(f.states("whole") == "1:unavailable");
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:unavailable");
}

TEST_CASE("an alias stands for a model until it is removed, and over a restart") {
  serving_fixture f;
  const auto set = [&](const std::string& alias, model_alias target) {
    return f.ask<model_alias>(f.catalogue, set_model_alias{alias, std::move(target), 10'000});
  };
  CHECK(set("best", {"echo", "2"}).value() == model_alias{"echo", "2"});
  CHECK(f.told.back().aliases.at("best") == model_alias{"echo", "2"});
  CHECK(f.ask<served_models>(f.catalogue, get_served_models{"best"})->versions.front().model.name
        == "echo");
  CHECK(set("echo", {"echo", ""}).error().code == error_code::conflict);
  CHECK(set("other", {"none", ""}).error().code == error_code::model_not_found);
  CHECK(set("other", {"echo", "9"}).error().code == error_code::model_not_found);
  CHECK(set("no/name", {"echo", ""}).error().code == error_code::bad_input);
  f.start();
  CHECK(f.told.back().aliases.size() == 1);
  CHECK(set("best", {}).has_value());
  CHECK(f.told.back().aliases.empty());
  CHECK(set("best", {}).error().code == error_code::model_not_found);
}

TEST_CASE("a version that is removed is let go, and the next one takes its place") {
  serving_fixture f;
  REQUIRE(f.ask<model_list>(f.catalogue, remove_model{"echo", "3"}));
  CHECK(f.states("echo") == "1:unknown 2:ready");
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().version == "3");
}

TEST_CASE("a model that is removed and comes again has the revision of its new configuration") {
  serving_fixture f;
  const auto first = f.push("digits", "bytes");
  REQUIRE(first);
  REQUIRE(f.remove("digits"));
  const auto second = f.push("digits", "bytes", "batch_delay_max_us = 5\n" + config_text);
  REQUIRE_MESSAGE(second, (second ? "" : second.error().message));
  CHECK(second->digest == first->digest);
  CHECK(second->version == first->version);
  CHECK_FALSE(second->spec == first->spec);
  CHECK(second->revision > first->revision);
  CHECK(f.entry_now("digits", "1") == *second);
}

TEST_CASE("a configuration that is edited while nobody runs has a new revision, others keep it") {
  serving_fixture f;
  const auto echo = f.entry_now("echo", "3");
  const auto whole = f.entry_now("whole", "1");
  f.start();
  CHECK(f.entry_now("echo", "3") == echo);
  write_file(f.folder / "models/echo/config.toml", "description = \"new\"\n" + echo_text);
  f.start();
  CHECK(f.entry_now("echo", "3").spec.description == "new");
  CHECK(f.entry_now("echo", "3").revision > echo.revision);
  CHECK(f.entry_now("whole", "1").revision == whole.revision);
}

TEST_CASE("a name that was forgotten among many never begins with the first revision again") {
  serving_revisions revisions;
  models::model_spec spec;
  CHECK(revisions.of("first", spec) == 0);
  for (int number = 0; number < 5'000; ++number)
    CHECK(revisions.of("model" + std::to_string(number), spec) == 0);
  revisions.forget_some(std::map<std::string, int>{{"first", 1}});
  const serving_revisions again(revisions.text(), 7);
  CHECK(again.text() == serving_revisions(again.text(), 0).text());
  serving_revisions later = again;
  CHECK(later.of("first", spec) == 0);
  CHECK(later.of("model4999", spec) == 8);
  spec.max_batch_size = 2;
  CHECK(later.of("first", spec) == 9);
}

TEST_CASE("a load with a changed configuration takes effect, whichever versions are served") {
  serving_fixture f;
  const std::string first_only = "\n[versions]\nchoice = \"specific\"\nversions = [1]\n";
  write_file(f.folder / "models/echo/config.toml", echo_text + first_only);
  f.start();
  CHECK(f.states("echo") == "1:ready 2:unknown 3:unknown");
  const auto old = f.entry_now("echo", "1");
  write_file(f.folder / "models/echo/config.toml",
             "description = \"new\"\n" + echo_text + first_only);
  REQUIRE(f.load("echo"));
  CHECK(f.states("echo") == "1:ready 2:unknown 3:unknown");
  const auto now = f.entry_now("echo", "1");
  CHECK(now.spec.description == "new");
  CHECK(now.revision > old.revision);
  CHECK(f.prepared.back() == now);
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().revision == old.revision);
}

TEST_CASE("what was asked of a model does not hold for another one of its name") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  REQUIRE(f.unload("digits"));
  REQUIRE(f.remove("digits"));
  REQUIRE(f.push("digits", "two"));
  CHECK(f.states("digits") == "1:ready");
  REQUIRE(f.load("digits", "", R"({"max_batch_size": 3})"));
  CHECK(f.entry_now("digits", "1").spec.max_batch_size == 3);
  REQUIRE(f.remove("digits"));
  REQUIRE(f.push("digits", "three"));
  CHECK(f.entry_now("digits", "1").spec.max_batch_size == 8);
  f.start();
  CHECK(f.states("digits") == "1:ready");
  CHECK(f.entry_now("digits", "1").spec.max_batch_size == 8);
}

TEST_CASE("a version whose load fails for good is ready no more, until a load goes well") {
  serving_fixture f;
  f.refusal = runtime::failure{error_code::no_nodes, "no node takes it", {}};
  CHECK_FALSE(f.load("echo"));
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
  f.refusal.reset();
  f.refused_version = "3";
  CHECK(f.load("echo").error().code == error_code::bad_model);
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:unavailable");
  CHECK(f.reason("echo", "3") == "it has no forward");
  CHECK(f.states("whole") == "1:unavailable");
  f.refused_version.clear();
  REQUIRE(f.load("echo"));
  CHECK(f.states("echo") == "1:unknown 2:unknown 3:ready");
}

TEST_CASE("what can not be kept on the disk does not take effect") {
  serving_fixture f;
  f.block_wishes();
  const auto old = f.entry_now("echo", "3");
  CHECK_FALSE(f.set("best", {"echo", "3"}));
  CHECK(f.told.back().aliases.empty());
  CHECK_FALSE(f.set("best", {"echo", "1"}));
  CHECK(f.told.back().aliases.empty());
  CHECK_FALSE(f.unload("echo"));
  CHECK(f.states("echo") == "1:unavailable 2:unknown 3:ready");
  CHECK_FALSE(f.load("echo", "", R"({"max_batch_size": 2})"));
  CHECK(f.entry_now("echo", "3") == old);
  for (const retire_model& each : f.retired)
    CHECK_FALSE((each.version == "3" && each.revision == old.revision));
  CHECK(f.states("echo").ends_with("3:ready"));
}

TEST_CASE("without a router a load is refused and an unload is done at once") {
  serving_fixture f;
  f.arguments.router.clear();
  CHECK(f.load("echo", "1").error().code == error_code::unavailable);
  CHECK(f.unload("echo").has_value());
  CHECK(f.load("echo", "1").error().message.starts_with("failed to load 'echo'"));
  CHECK(f.ask<served_models>(f.catalogue, load_served_model{"echo", "", "", 0}).error().code
        == error_code::expired);
}
