// What every route may answer, against what the OpenAPI document says of it. The same exchanges are
// recorded for `tests/gateway/contract`, which looks at the bodies too.
#include <atomic>
#include <functional>
#include <set>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "runtime/caf_errors.hpp"
#include "tests/gateway/gateway_fixture.hpp"

namespace {

using namespace dim;
using namespace dim::tests;
using gateway::body_mode;
using nlohmann::json;
using runtime::error_code;

using failing_code = std::shared_ptr<std::atomic<error_code>>;

/// An ENTRY that answers everything with the failure of the moment.
caf::behavior failing_entry(caf::event_based_actor* self, failing_code code) {
  self->set_default_handler(
    [code](caf::scheduled_actor*, caf::message_view&) -> caf::result<caf::message> {
      return runtime::to_error(code->load(), "as the test wants");
    });
  return {[](release_blocks) {}};
}

/// A gateway before an ENTRY that fails.
struct failing_fixture {
  failing_fixture()
    : entry(system.spawn(failing_entry, code)),
      http(system, {entry, {}}, gateway_fixture::prepare({})),
      port(*http.start(&system)) {
  }
  ~failing_fixture() {
    http.stop();
    caf::anon_send_exit(entry.get(), caf::exit_reason::user_shutdown);
  }

  failing_code code = std::make_shared<std::atomic<error_code>>(error_code::internal);
  gateway_system_config configuration;
  caf::actor_system system{configuration};
  runtime::service<caf::actor> entry;
  gateway::gateway http;
  std::uint16_t port;
};

std::string lower_case(std::string text) {
  for (auto& c : text)
    c = static_cast<char>(std::tolower(c));
  return text;
}

std::string target_of(const gateway::route& route) {
  auto target = route.pattern;
  auto put = [&](std::string_view name, std::string_view value) {
    if (auto at = target.find(name); at != std::string::npos)
      target.replace(at, name.size(), value);
  };
  put("{id}", job_id);
  put("{name}", "simple");
  put("{model}", "simple");
  put("{version}", "1");
  return target == "/api/v1/models" && route.method == "POST" ? target + "?name=simple" : target;
}

json tensor_x() {
  return {{"name", "x"}, {"datatype", "FP32"}, {"shape", {1}}, {"data", {1.5}}};
}

bool is_direct_inference(const gateway::route& route) {
  return route.pattern.ends_with("/infer") || route.pattern.starts_with("/api/v1/inference/");
}

/// A body with which the route has nothing to find fault.
std::string body_of(const gateway::route& route) {
  if (route.body == body_mode::streamed)
    return "abc";
  if (is_direct_inference(route))
    return json{{"inputs", json::array({tensor_x()})}}.dump();
  static const std::map<std::string, json> bodies{
    {"POST /api/v1/jobs", {{"model", "simple"}, {"inputs", json::array({tensor_x()})}}},
    {"PUT /api/v1/aliases/{name}", {{"model", "simple"}}},
    {"POST /api/v1/backup", {{"folder", "/somewhere"}}},
    {"POST /api/v1/faults", {{"action", "kill"}, {"target", "*"}}},
    {"POST /api/v1/placement", {{"paused", true}}}};
  auto found = bodies.find(route.method + " " + route.pattern);
  return found == bodies.end() ? "" : found->second.dump();
}

std::string request_of(const gateway::route& route, std::string_view more_headers = {}) {
  std::string headers = route.body == body_mode::streamed ? "X-Dim-Model-Config: YQ==\r\n" : "";
  return request_text(route.method, target_of(route), body_of(route),
                      headers + std::string{more_headers});
}

/// The document's routes and the statuses that it gives each by number.
class described_statuses {
public:
  explicit described_statuses(std::uint16_t port) {
    raw_client client{port};
    document_ = json::parse(client.ask(request_text("GET", "/openapi.json")).body);
  }

  bool has(const gateway::route& route, int status) const {
    auto& responses = document_["paths"][route.pattern][lower_case(route.method)]["responses"];
    return responses.contains(std::to_string(status));
  }

private:
  json document_;
};

/// Asks `request` of every route of `http`, each over a connection of its own.
void ask_all(const gateway::gateway& http, std::uint16_t port, const described_statuses& described,
             const std::function<std::string(const gateway::route&)>& request) {
  for (auto& route : http.routes().routes()) {
    auto text = request(route);
    if (text.empty())
      continue;
    raw_client client{port};
    auto reply = client.ask(text);
    CAPTURE(route.method);
    CAPTURE(route.pattern);
    CAPTURE(reply.status);
    CAPTURE(reply.body);
    CHECK(described.has(route, reply.status));
  }
}

/// What ENTRY may say to each route, beside what any question may meet.
bool may_meet(const gateway::route& route, error_code code) {
  auto is = [&](std::string_view part) { return route.pattern.find(part) != std::string::npos; };
  auto is_inference = is_direct_inference(route);
  auto writes = route.method != "GET" && !is_inference && !is("/faults") && !is("/placement")
                && !is("/index") && !is("/logging");
  switch (code) {
    case error_code::not_found:
    case error_code::model_not_found:
      return is("{") || is("/v2/models/") || (is("/faults") && route.method == "DELETE")
             || (route.pattern == "/api/v1/jobs" && route.method == "POST")
             || (route.pattern == "/api/v1/faults" && route.method == "POST")
             || route.body == body_mode::streamed;
    case error_code::conflict:
      return writes && !is("/nodes/");
    case error_code::store_full:
      return writes || is_inference;
    case error_code::poison_input:
    case error_code::agent_lost:
    case error_code::agent_timeout:
    case error_code::memory_limit:
    case error_code::no_nodes:
    case error_code::expired:
    case error_code::cancelled:
    case error_code::unsupported:
      return is_inference;
    case error_code::too_large:
      return route.body == body_mode::streamed;
    default:
      return true;
  }
}

TEST_CASE("whatever ENTRY answers, its status is one that the document gives the route") {
  failing_fixture f;
  described_statuses described{f.port};
  for (auto code :
       {error_code::internal, error_code::store_corrupt, error_code::node_lost,
        error_code::protocol_mismatch, error_code::overloaded, error_code::unavailable,
        error_code::timeout, error_code::bad_input, error_code::not_found,
        error_code::model_not_found, error_code::conflict, error_code::store_full,
        error_code::poison_input, error_code::agent_lost, error_code::agent_timeout,
        error_code::memory_limit, error_code::no_nodes, error_code::expired,
        error_code::cancelled, error_code::unsupported, error_code::too_large}) {
    *f.code = code;
    ask_all(f.http, f.port, described, [code](auto& route) {
      return may_meet(route, code) ? request_of(route) : std::string{};
    });
  }
}

TEST_CASE("what is wrong with a request as HTTP has a status that the document gives every route") {
  failing_fixture f;
  described_statuses described{f.port};
  auto add = [](std::string header) {
    return [header](const gateway::route& route) { return request_of(route, header + "\r\n"); };
  };
  ask_all(f.http, f.port, described, add("Host: another"));
  ask_all(f.http, f.port, described, add("Origin: http://elsewhere"));
  ask_all(f.http, f.port, described, add("Expect: a miracle"));
  ask_all(f.http, f.port, described, add("X-Filler: " + std::string(70'000, 'x')));
  auto replace_length = [](std::string with) {
    return [with](const gateway::route& route) {
      return route.body == body_mode::streamed && with.starts_with("Content")
               ? std::string{}
               : request_text(route.method, target_of(route), {}, with + "\r\n");
    };
  };
  ask_all(f.http, f.port, described, replace_length("Transfer-Encoding: gzip"));
  ask_all(f.http, f.port, described, replace_length("Transfer-Encoding: gzip, chunked"));
  ask_all(f.http, f.port, described, replace_length("Content-Length: 99999999999"));
}

TEST_CASE("a connection too many is refused with a status that the document gives every route") {
  config::options options;
  options.gateway.connections_max = 1;
  gateway_fixture f{options};
  described_statuses described{f.port};
  // The document's connection may take a moment to be gone.
  std::optional<raw_client> only;
  auto is_in = false;
  for (int attempt = 0; attempt < 1'000 && !is_in; ++attempt) {
    only.emplace(f.port);
    is_in = only->ask(request_text("GET", "/health/live")).status == 200;
  }
  REQUIRE(is_in);
  ask_all(f.http, f.port, described, [](auto& route) { return request_of(route); });
}

TEST_CASE("a restricted group refuses with statuses that the document gives its routes") {
  config::options options;
  for (std::string group : {"health", "metadata", "inference", "model-config", "model-repository",
                            "statistics", "logging"})
    options.gateway.restricted_apis.push_back(group + ": admin-key=s3cret");
  gateway_fixture f{options};
  described_statuses described{f.port};
  for (std::string header : {"", "admin-key: wrong\r\n"})
    ask_all(f.http, f.port, described, [header](auto& route) {
      return route.api.empty() ? std::string{} : request_of(route, header);
    });
}

}  // namespace
