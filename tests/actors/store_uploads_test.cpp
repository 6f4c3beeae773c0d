// Uploads in parts: what MODELS keeps of them, over connections, writers and restarts. And what
// uploads and aliases do to the versions in service.
#include <algorithm>
#include <chrono>

#include <doctest/doctest.h>

#include "tests/actors/models_fixture.hpp"
#include "tests/actors/serving_fixture.hpp"

using namespace dim;
using namespace dim::actors;
using namespace dim::tests;
using runtime::error_code;

namespace {

struct uploads_fixture : models_fixture {
  resume_upload resuming(const std::string& writer, std::uint64_t offset) {
    resume_upload request{finishing("parts", content, "3"), offset};
    request.wish.writer = writer;
    return request;
  }

  runtime::expected<upload_progress> resume(const std::string& writer, std::uint64_t offset) {
    return ask<upload_progress>(catalogue, resuming(writer, offset));
  }

  /// How far the upload is.
  std::uint64_t received() {
    return resume("", 0)->received;
  }

  runtime::expected<upload_progress> write(const std::string& writer, std::uint64_t offset,
                                           std::uint64_t size) {
    const auto part = runtime::bytes::copy_of(content.substr(offset, size));
    return ask<upload_progress>(catalogue, upload_block{"parts", offset, part, writer});
  }

  runtime::expected<upload_progress> pause(const std::string& writer) {
    return ask<upload_progress>(catalogue, pause_upload{"parts", writer});
  }

  runtime::expected<model_entry> finish(const std::string& writer) {
    return ask<model_entry>(catalogue, resuming(writer, 0).wish);
  }

  std::string content = std::string(500, 'a') + std::string(500, 'b');
};

}  // namespace

TEST_CASE("an upload in parts goes on where it stands, and ends as any other") {
  uploads_fixture f;
  CHECK(f.received() == 0);
  CHECK(f.staged() == 0);
  CHECK(f.resume("one", 0)->received == 0);
  CHECK(f.write("one", 0, 400)->received == 400);
  CHECK(f.pause("one")->received == 400);
  CHECK(f.received() == 400);
  CHECK(f.resume("two", 400)->received == 400);
  CHECK(f.write("two", 400, 600)->received == 1'000);
  const auto entered = f.finish("two");
  REQUIRE_MESSAGE(entered, (entered ? "" : entered.error().message));
  CHECK(entered->version == "3");
  CHECK(entered->digest == runtime::sha256_hex(f.content));
  CHECK(f.staged() == 0);
}

TEST_CASE("an upload in parts goes on after a restart") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 400));
  f.restart();
  CHECK(f.received() == 400);
  // Its writer was one of the time before.
  CHECK(f.write("one", 400, 1).error().code == error_code::cancelled);
  CHECK(f.write("", 400, 1).error().code == error_code::cancelled);
  REQUIRE(f.resume("one", 400));
  REQUIRE(f.write("one", 400, 600));
  f.restart();
  CHECK(f.received() == 1'000);
  REQUIRE(f.resume("two", 1'000));
  CHECK(f.finish("two")->digest == runtime::sha256_hex(f.content));
}

TEST_CASE("two that write the same upload do not mix: the later one takes it over") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 400));
  // One that believes it to stand elsewhere is told, and changes nothing.
  CHECK(f.resume("two", 0)->received == 400);
  CHECK(f.write("two", 0, 10).error().code == error_code::cancelled);
  REQUIRE(f.write("one", 400, 100));
  CHECK(f.resume("two", 500)->received == 500);
  CHECK(f.write("one", 500, 10).error().code == error_code::cancelled);
  CHECK(f.pause("one").error().code == error_code::cancelled);
  CHECK(f.finish("one").error().code == error_code::cancelled);
  REQUIRE(f.write("two", 500, 500));
  CHECK(f.finish("two")->digest == runtime::sha256_hex(f.content));
}

TEST_CASE("a wrong block leaves an upload in parts as it was") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 400));
  CHECK(f.write("one", 300, 10).error().code == error_code::bad_input);
  CHECK(f.write("one", 401, 10).error().code == error_code::bad_input);
  CHECK(f.received() == 400);
  CHECK(f.write("one", 400, 10)->received == 410);
}

TEST_CASE("a configuration that is wrong is refused before a byte is taken") {
  uploads_fixture f;
  auto request = f.resuming("one", 0);
  request.wish.config_toml = "inputs = 3";
  CHECK(f.ask<upload_progress>(f.catalogue, request).error().code == error_code::bad_input);
  CHECK(f.staged() == 0);
}

TEST_CASE("a version that is there already is told, and one with other bytes is a conflict") {
  uploads_fixture f;
  REQUIRE(f.push(f.content, "3"));
  const auto there = f.resume("one", 0);
  CHECK(there->is_entered);
  CHECK(there->received == f.content.size());
  f.content += "more";
  CHECK(f.resume("one", 0).error().code == error_code::conflict);
  CHECK(f.staged() == 0);
}

TEST_CASE("an upload in parts whose bytes have another digest is dropped") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 1'000));
  auto wish = f.resuming("one", 0).wish;
  wish.digest = runtime::sha256_hex("other");
  CHECK(f.ask<model_entry>(f.catalogue, wish).error().code == error_code::corrupt);
  CHECK(f.received() == 0);
  CHECK(f.staged() == 0);
  CHECK(f.versions() == 0);
}

TEST_CASE("an upload in parts to which nothing comes is dropped when its time is over") {
  uploads_fixture f;
  f.arguments.resumable_keep_ms = 600'000;
  f.restart();
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 400));
  f.advance(500'000);
  REQUIRE(f.write("one", 400, 100));
  f.advance(500'000);
  CHECK(f.received() == 500);
  f.advance(200'000);
  CHECK(f.staged() == 0);
  CHECK(f.received() == 0);
  CHECK(f.timers() == 0);
}

TEST_CASE("the time of an upload in parts goes on over restarts") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 400));
  const auto kept = f.folder.path() / "models/.staging/.resumable/parts.1000/part";
  REQUIRE(std::filesystem::exists(kept));
  std::filesystem::last_write_time(kept, std::filesystem::file_time_type::clock::now()
                                           - std::chrono::hours{24 * 365 * 40});
  f.restart();
  f.advance(60'000);
  CHECK(f.staged() == 0);
  CHECK(f.received() == 0);
}

TEST_CASE("an upload in parts that was being opened when MODELS ended can be finished again") {
  uploads_fixture f;
  REQUIRE(f.resume("one", 0));
  REQUIRE(f.write("one", 0, 1'000));
  const auto reply = f.request<model_entry>(f.catalogue, f.resuming("one", 0).wish);
  auto& scheduler = dynamic_cast<caf::scheduler::test_coordinator&>(f.sys().scheduler());
  REQUIRE(scheduler.try_run_once());
  REQUIRE(scheduler.try_run_once());
  // Only the actor is started anew: its repository stays.
  f.kill(f.catalogue, caf::exit_reason::user_shutdown);
  CHECK((*reply)->error().code == error_code::unavailable);
  f.catalogue = f.sys().spawn(model_catalogue, f.arguments);
  f.run();
  CHECK(f.resume("two", 1'000)->received == 1'000);
  CHECK(f.finish("two")->version == "3");
}

TEST_CASE("an uploaded version takes the place of the one in service once it is prepared") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  CHECK(f.states("digits") == "1:ready");
  CHECK(f.prepared.empty());
  f.told.clear();
  const auto entered = f.push("digits", "two");
  REQUIRE_MESSAGE(entered, (entered ? "" : entered.error().message));
  REQUIRE(f.prepared.size() == 1);
  CHECK(f.prepared.front().digest == entered->digest);
  CHECK(f.prepared.front().revision == entered->revision);
  CHECK(f.states("digits") == "1:unavailable 2:ready");
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().version == "1");
  for (const served_models& news : f.told)
    CHECK(std::any_of(news.versions.begin(), news.versions.end(), [](const auto& each) {
      return each.model.name == "digits" && each.state == serving_state::ready;
    }));
  f.start();
  CHECK(f.entry_now("digits", "2") == *entered);
}

TEST_CASE("a node gets the file of an upload before it is entered") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  using promises = std::vector<caf::typed_response_promise<model_prepared>>;
  const auto held = std::make_shared<promises>();
  const auto patient = f.sys().spawn([held](caf::event_based_actor* self) -> caf::behavior {
    return {[held, self](const prepare_model&) {
              return held->emplace_back(self->make_response_promise<model_prepared>());
            },
            [held](router_due) { held->back().deliver(model_prepared{"node-1"}); },
            [](const served_models&) {}, [](const retire_model&) { return model_retired{}; }};
  });
  f.arguments.router.set(caf::actor_cast<router_actor>(patient));
  const auto second = f.request<model_entry>(f.catalogue, f.uploading("u2", "digits", "two"));
  const auto third = f.request<model_entry>(f.catalogue, f.uploading("u3", "digits", "three"));
  const auto versions = [&] {
    return f.ask<served_models>(f.catalogue, get_served_models{"digits"})->versions.size();
  };
  f.advance(1'000);
  REQUIRE(held->size() == 1);
  CHECK(versions() == 1);
  const auto part = f.ask<chunk>(f.catalogue, fetch_chunk{runtime::sha256_hex("two"), 0, 9});
  REQUIRE(part);
  CHECK(part->data.view() == "two");
  CHECK(f.ask<model_entry>(f.catalogue, find_model{"digits", "2"}).has_value());
  CHECK(f.load("digits").error().code == error_code::conflict);
  f.send(patient, router_due{});
  // The other one waited, and comes after it.
  REQUIRE(held->size() == 2);
  CHECK(versions() == 2);
  f.send(patient, router_due{});
  CHECK(versions() == 3);
  REQUIRE((second->has_value() && third->has_value()));
  REQUIRE(((*second)->has_value() && (*third)->has_value()));
  CHECK((*second)->value().version != (*third)->value().version);
}

TEST_CASE("an uploaded version that can not be served leaves the old one, and is told") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  const auto old = f.entry_now("digits", "1");
  f.refusal = runtime::failure{error_code::memory_limit, "no room", {}};
  const auto refused = f.push("digits", "two", "memory_bytes = 1000000000\n" + config_text);
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == error_code::memory_limit);
  CHECK(refused.error().message == "'digits' version 2 can not be served: no room");
  CHECK(f.states("digits") == "1:ready");
  CHECK(f.entry_now("digits", "1") == old);
  for (const retire_model& each : f.retired)
    CHECK_FALSE((each.version == "1" && each.revision == old.revision));
  CHECK_FALSE(std::filesystem::exists(f.folder / "models/digits/2"));
  f.start();
  CHECK(f.states("digits") == "1:ready");
  CHECK(f.entry_now("digits", "1").spec == old.spec);
  f.refusal.reset();
  CHECK(f.push("digits", "two")->version == "2");
}

TEST_CASE("a version with other inputs is no version of the model, and what was prepared goes") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  auto wide = config_text;
  wide.replace(wide.find("dims = [4]"), 10, "dims = [5]");
  CHECK(f.push("digits", "two", wide).error().code == error_code::conflict);
  CHECK(f.states("digits") == "1:ready");
  for (const retire_model& each : f.retired)
    CHECK(each.version == "2");
  CHECK(f.push("digits", "two").has_value());
}

TEST_CASE("where no node can say whether a version starts, an upload is served as at a start") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  f.refusal = runtime::failure{error_code::no_nodes, "no node takes it", {}};
  REQUIRE(f.push("digits", "two"));
  CHECK(f.states("digits") == "1:unavailable 2:ready");
}

TEST_CASE("an upload whose sender waits no longer is entered, and nobody prepares it") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  auto late = f.uploading("u1", "digits", "two");
  late.time_left_ms = 0;
  REQUIRE(f.ask<model_entry>(f.catalogue, late));
  CHECK(f.prepared.empty());
  CHECK(f.states("digits") == "1:unavailable 2:ready");
}

TEST_CASE("what is unloaded stays so when a version is uploaded") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  REQUIRE(f.unload("digits"));
  REQUIRE(f.push("digits", "two"));
  CHECK(f.states("digits") == "1:unavailable 2:unknown");
  CHECK(f.prepared.empty());
}

TEST_CASE("a model does not take the name of an alias") {
  serving_fixture f;
  REQUIRE(f.set("best", {"echo", ""}));
  CHECK(f.push("best", "one").error().code == error_code::conflict);
  CHECK(f.told.back().aliases.contains("best"));
  write_file(f.folder / "models/best/config.toml", echo_text);
  CHECK(f.load("best").error().code == error_code::conflict);
  f.start();
  CHECK(f.told.back().aliases.contains("best"));
}

TEST_CASE("an alias keeps its version in service beside a newer one, until it is moved") {
  serving_fixture f;
  REQUIRE(f.push("digits", "one"));
  REQUIRE(f.set("stable", {"digits", "1"}));
  CHECK(f.prepared.empty());
  REQUIRE(f.push("digits", "two"));
  CHECK(f.states("digits") == "1:ready 2:ready");
  CHECK(f.retired.empty());
  f.start();
  CHECK(f.states("digits") == "1:ready 2:ready");
  REQUIRE(f.set("stable", {"digits", "2"}));
  CHECK(f.states("digits") == "1:unavailable 2:ready");
  REQUIRE(f.retired.size() == 1);
  CHECK(f.retired.front().version == "1");
}

TEST_CASE("a version that is not served is prepared before an alias stands for it") {
  serving_fixture f;
  REQUIRE(f.set("stable", {"echo", "3"}));
  f.refused_version = "1";
  const auto refused = f.set("stable", {"echo", "1"});
  CHECK(refused.error().code == error_code::bad_model);
  CHECK(refused.error().message == "'echo' version 1 can not be served: it has no forward");
  CHECK(f.told.back().aliases.at("stable") == model_alias{"echo", "3"});
  f.prepared.clear();
  REQUIRE(f.set("stable", {"echo", "2"}));
  REQUIRE(f.prepared.size() == 1);
  CHECK(f.prepared.front().version == "2");
  CHECK(f.states("echo") == "1:unavailable 2:ready 3:ready");
  CHECK(f.unload("echo", "2").error().code == error_code::conflict);
  CHECK(f.states("echo") == "1:unavailable 2:ready 3:ready");
  REQUIRE(f.set("stable", {}));
  CHECK(f.states("echo") == "1:unavailable 2:unavailable 3:ready");
  REQUIRE(f.unload("echo"));
  const auto unloaded = f.set("stable", {"echo", "2"});
  CHECK(unloaded.error().code == error_code::conflict);
  CHECK(unloaded.error().message.find("load it first") != std::string::npos);
}
