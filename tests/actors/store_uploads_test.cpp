// Uploads in parts: what MODELS keeps of them, over connections, writers and restarts.
#include <chrono>

#include <doctest/doctest.h>

#include "tests/actors/models_fixture.hpp"

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
