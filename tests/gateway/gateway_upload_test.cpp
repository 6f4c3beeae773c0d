// Models uploaded in parts, from the socket to the disk: a gateway, ENTRY and MODELS.
#include <fstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "actors/cluster/entry.hpp"
#include "actors/message_types.hpp"
#include "actors/store/model_catalogue.hpp"
#include "gateway/base64.hpp"
#include "gateway/gateway.hpp"
#include "runtime/digest.hpp"
#include "tests/gateway/gateway_fixture.hpp"
#include "tests/support/model_config.hpp"
#include "tests/support/temporary_folder.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using nlohmann::json;

constexpr std::size_t block = 1 << 20;

std::string digest_field(const std::string& content) {
  std::string bytes;
  const auto hex = runtime::sha256_hex(content);
  for (std::size_t i = 0; i < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return "sha-256=" + gateway::to_base64(bytes);
}

/// MODELS over a folder, behind a real ENTRY and a real gateway. `true` stands for the program that
/// opens files.
struct upload_fixture {
  upload_fixture()
    : entry(system.spawn(actors::entry, arguments)),
      http(system, {runtime::service<caf::actor>{entry}, {}},
           gateway_fixture::prepare(config::options{})),
      port(*http.start(&system)) {
    start_models();
  }
  ~upload_fixture() {
    http.stop();
    stop_models();
    caf::anon_send_exit(entry, caf::exit_reason::user_shutdown);
  }

  void start_models() {
    models::repository_options options;
    options.folder = folder / "models";
    auto opened = models::repository::open(options);
    REQUIRE(opened);
    actors::models_arguments wish;
    wish.repository = std::make_shared<models::repository>(std::move(*opened));
    wish.blobs = std::make_shared<runtime::blob_store>(
      *runtime::blob_store::open(folder / "blobs", false));
    wish.check_program = "/bin/true";
    arguments.models.set(system.spawn<caf::detached>(actors::model_catalogue, wish));
  }
  void stop_models() {
    caf::scoped_actor self{system};
    auto models = arguments.models.get();
    arguments.models.clear();
    self->send_exit(models, caf::exit_reason::user_shutdown);
    self->wait_for(models);
  }

  /// The request's text without its body.
  std::string head(const std::string& range, std::size_t length, const std::string& version = "3") {
    return request_text("PUT", "/api/v1/models/digits/versions/" + version, {},
                        "Content-Range: " + range + "\r\nDigest: " + digest_field(content)
                          + "\r\nX-Dim-Model-Config: " + gateway::to_base64(config_text)
                          + "\r\nContent-Length: " + std::to_string(length) + "\r\n");
  }
  /// "bytes FIRST-LAST/TOTAL" of `size` bytes.
  std::string range_at(std::size_t first, std::size_t size) const {
    return "bytes " + std::to_string(first) + "-" + std::to_string(first + size - 1) + "/"
           + std::to_string(content.size());
  }

  raw_reply send_part(std::size_t first, std::size_t size) {
    raw_client client{port};
    return client.ask(head(range_at(first, size), size) + content.substr(first, size));
  }
  raw_reply ask_progress(const std::string& config = gateway::to_base64(config_text)) {
    raw_client client{port};
    return client.ask(request_text(
      "PUT", "/api/v1/models/digits/versions/3", {},
      "Content-Range: bytes */" + std::to_string(content.size())
        + "\r\nDigest: " + digest_field(content) + "\r\nContent-Length: 0\r\n"
        + (config.empty() ? "" : "X-Dim-Model-Config: " + config + "\r\n")));
  }
  /// Asks until `enough` bytes have come; the test's own limit ends it where they never do.
  std::size_t wait_for(std::size_t enough) {
    std::size_t received = 0;
    while (received < enough)
      received = json::parse(ask_progress("").body)["received"];
    return received;
  }
  std::string stored() {
    std::ifstream file{folder / "models/digits/3/model.pt", std::ios::binary};
    return {std::istreambuf_iterator<char>{file}, {}};
  }

  std::string content = [] {
    std::string text(4 * block + 17, '\0');
    for (std::size_t i = 0; i < text.size(); ++i)
      text[i] = static_cast<char>(i * 7 + i / 251);
    return text;
  }();
  temporary_folder folder;
  gateway_system_config configuration;
  caf::actor_system system{configuration};
  actors::entry_arguments arguments;
  caf::actor entry;
  gateway::gateway http;
  std::uint16_t port;
};

TEST_CASE("parts make a version: 202 with how far it is, and 201 for the last one") {
  upload_fixture f;
  CHECK(f.ask_progress().status == 202);
  CHECK_FALSE(f.ask_progress().headers.contains("range"));
  auto first = f.send_part(0, 1'000);
  CHECK(first.status == 202);
  CHECK(first.headers["range"] == "bytes=0-999");
  const auto progress = json::parse(first.body);
  CHECK(progress["name"] == "digits");
  CHECK(progress["version"] == "3");
  CHECK(progress["received"] == 1'000);
  CHECK(progress["byte_size"] == f.content.size());
  CHECK(progress["digest"] == runtime::sha256_hex(f.content));
  CHECK(f.ask_progress().headers["range"] == "bytes=0-999");
  auto last = f.send_part(1'000, f.content.size() - 1'000);
  CHECK(last.status == 201);
  CHECK(last.headers["location"] == "/api/v1/models/digits/versions/3");
  CHECK(json::parse(last.body)["digest"] == runtime::sha256_hex(f.content));
  CHECK((f.stored() == f.content));
  // Whoever has missed that answer asks again, or sends again.
  CHECK(f.ask_progress().status == 200);
  CHECK(f.send_part(0, 10).status == 200);
}

TEST_CASE("a part that does not begin where the upload stands is 409 and tells where that is") {
  upload_fixture f;
  REQUIRE(f.send_part(0, 1'000).status == 202);
  for (const std::size_t first : {0, 999, 1'001}) {
    auto reply = f.send_part(first, 100);
    CHECK(reply.status == 409);
    CHECK(reply.headers["range"] == "bytes=0-999");
    CHECK(json::parse(reply.body)["code"] == "conflict");
  }
  CHECK(f.send_part(1'000, 100).headers["range"] == "bytes=0-1099");
}

TEST_CASE("what came before the connection broke stays, also over a restart of MODELS") {
  upload_fixture f;
  {
    raw_client client{f.port};
    REQUIRE(client.send(f.head(f.range_at(0, f.content.size()), f.content.size())
                        + f.content.substr(0, 2 * block + 100)));
    f.wait_for(2 * block);
  }
  f.stop_models();
  CHECK(f.send_part(2 * block, 10).status == 503);
  f.start_models();
  CHECK(f.wait_for(2 * block) == 2 * block);
  CHECK(f.send_part(2 * block, block).headers["range"]
        == "bytes=0-" + std::to_string(3 * block - 1));
  CHECK(f.send_part(3 * block, f.content.size() - 3 * block).status == 201);
  CHECK((f.stored() == f.content));
}

TEST_CASE("a later request takes an upload over, and the one before is refused") {
  upload_fixture f;
  raw_client slow{f.port};
  REQUIRE(slow.send(f.head(f.range_at(0, f.content.size()), f.content.size())
                    + f.content.substr(0, block)));
  f.wait_for(block);
  CHECK(f.send_part(block, f.content.size() - block).status == 201);
  REQUIRE(slow.send(f.content.substr(block)));
  const auto refused = slow.read();
  REQUIRE(refused);
  CHECK(refused->status >= 400);
  CHECK((f.stored() == f.content));
}

TEST_CASE("the fields of a part are checked against each other, with every problem") {
  upload_fixture f;
  const auto ask = [&f](const std::string& range) {
    raw_client client{f.port};
    return client.ask(request_text("PUT", "/api/v1/models/digits/versions/3", "abc",
                                   "Content-Range: " + range + "\r\n"));
  };
  auto reply = ask("bytes 0-9/10");
  CHECK(reply.status == 400);
  const auto details = json::parse(reply.body)["details"];
  CHECK(details.size() == 3);
  CHECK(details.dump().find("Content-Length: expected 10") != std::string::npos);
  CHECK(details.dump().find("Digest: expected") != std::string::npos);
  reply = ask("bytes 0-9");
  CHECK(reply.body.find("Content-Range: expected bytes FIRST-LAST/TOTAL or bytes */TOTAL")
        != std::string::npos);
}

TEST_CASE("a part in chunks that is longer or shorter than it says is refused") {
  for (const std::string chunks : {"3\r\nabc\r\n0\r\n\r\n", "5\r\nabcde\r\n0\r\n\r\n"}) {
    upload_fixture f;
    raw_client client{f.port};
    auto text = f.head(f.range_at(0, 4), 4);
    text.replace(text.find("Content-Length: 4\r\n"), 19, "Transfer-Encoding: chunked\r\n");
    const auto reply = client.ask(text + chunks);
    CHECK(reply.status == 400);
    CHECK(reply.body.find("expected 4 bytes as Content-Range says") != std::string::npos);
  }
}

}  // namespace
