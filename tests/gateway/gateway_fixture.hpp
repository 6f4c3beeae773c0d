#pragma once

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "actors/message_types.hpp"
#include "gateway/gateway.hpp"
#include "tests/gateway/fake_entry.hpp"
#include "tests/gateway/raw_client.hpp"

namespace dim::tests {

using nlohmann::json;

struct gateway_system_config : runtime::system_config {
  gateway_system_config() {
    actors::add_message_types(*this);
    set("scheduler.max-threads", 2u);
  }
};

inline const std::string job_id = "0190a0a0-0000-7000-8000-000000000001";

/// A gateway on a port of its own, before a fake ENTRY.
struct gateway_fixture {
  explicit gateway_fixture(config::options options = {})
    : entry(system.spawn(fake_entry, script)),
      http(system, {entry, {}}, prepare(options)),
      port(*http.start(&system)) {
  }
  ~gateway_fixture() {
    http.stop();
    if (auto actor = entry.get())
      caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }

  static config::options prepare(config::options options) {
    options.gateway.port = 0;
    return options;
  }

  raw_reply ask(std::string_view method, std::string_view target, const json& body = {},
                std::string_view headers = {}) {
    raw_client client{port};
    return client.ask(request_text(method, target, body.is_null() ? "" : body.dump(), headers));
  }
  json get(std::string_view target, int status = 200) {
    auto reply = ask("GET", target);
    CAPTURE(reply.body);
    CHECK(reply.status == status);
    return json::parse(reply.body);
  }

  void put_job(actors::job_state state, actors::job_result result = {}) {
    actors::job_view view;
    view.record.id = job_id;
    view.record.state = state;
    view.has_result = !result.outputs.empty();
    view.result = std::move(result);
    script->put_job(std::move(view));
  }

  std::shared_ptr<entry_script> script = std::make_shared<entry_script>();
  gateway_system_config configuration;
  caf::actor_system system{configuration};
  runtime::service<caf::actor> entry;
  gateway::gateway http;
  std::uint16_t port;
};

}  // namespace dim::tests
