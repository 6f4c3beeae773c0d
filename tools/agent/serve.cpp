#include "tools/agent/serve.hpp"

#include <unistd.h>

#include <future>
#include <iostream>
#include <memory>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "actors/agent/agent_link.hpp"
#include "actors/agent/inference.hpp"
#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "runtime/link.hpp"
#include "runtime/spawn.hpp"
#include "runtime/system.hpp"

namespace dim::tools {

int serve(const serve_options& options) {
  auto fail = [](const runtime::failure& reason) {
    std::cerr << "dim-agent: " << reason.message << std::endl;
    return 1;
  };
  auto node = runtime::parse_endpoint(options.connect);
  if (!node)
    return fail(node.error());

  // Neither is ever destroyed: INFERENCE may be in a forward when the node goes away.
  auto& config = *new runtime::system_config;
  actors::add_message_types(config);
  config.set("scheduler.max-threads", 1);
  config.enable_links(options.heartbeat_ms, options.lost_ms);
  config.context->spin_limit = std::chrono::microseconds{options.spin_us};
  auto& system = *new caf::actor_system{config};

  auto ended = std::make_shared<std::promise<runtime::failure>>();
  auto reason = ended->get_future();
  actors::agent_link_arguments link;
  link.dialer = runtime::middleman_of(system);
  link.host = node->host;
  link.port = node->port;
  link.token = options.token;
  link.pid = getpid();
  link.timeout_ms = options.dial_timeout_ms;
  link.inference =
    runtime::spawn_detached(system, system, actors::inference, std::vector<std::uint32_t>{});
  link.on_end = [ended](const runtime::failure& why) { ended->set_value(why); };
  system.spawn(actors::agent_link, std::move(link));
  auto why = reason.get();
  return why.code == runtime::error_code::node_lost ? 0 : fail(why);
}

}  // namespace dim::tools
