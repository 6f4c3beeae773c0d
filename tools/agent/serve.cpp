#include "tools/agent/serve.hpp"

#include <unistd.h>

#include <atomic>
#include <functional>
#include <future>
#include <iostream>
#include <memory>

#include <caf/all.hpp>
#include <caf/io/all.hpp>

#include "actors/agent/agent_link.hpp"
#include "actors/agent/channel_inference.hpp"
#include "actors/agent/inference.hpp"
#include "actors/message_types.hpp"
#include "actors/type_ids.hpp"
#include "runtime/link.hpp"
#include "runtime/shared_channel.hpp"
#include "runtime/spawn.hpp"
#include "runtime/system.hpp"

namespace dim::tools {

namespace {

using end_function = std::function<void(const runtime::failure&)>;

/// INFERENCE on the channel's thread, or, without a channel, on one of its own.
runtime::expected<actors::inference_actor> spawn_inference(caf::actor_system& system,
                                                           const serve_options& options,
                                                           const end_function& on_end) {
  if (!options.has_channel)
    return runtime::spawn_detached(system, system, actors::inference,
                                   std::vector<std::uint32_t>{});
  auto channel = runtime::shared_channel::join(
    {runtime::descriptor{3}, runtime::descriptor{4}, runtime::descriptor{5}});
  if (!channel)
    return tl::unexpected(channel.error());
  return actors::inference_actor{
    system.spawn(actors::channel_inference, std::move(*channel), on_end)};
}

}  // namespace

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
  // The first reason counts.
  end_function on_end = [ended, is_told = std::make_shared<std::atomic<bool>>(false)](
                          const runtime::failure& why) {
    if (!is_told->exchange(true))
      ended->set_value(why);
  };
  auto inference = spawn_inference(system, options, on_end);
  if (!inference)
    return fail(inference.error());
  actors::agent_link_arguments link;
  link.dialer = runtime::middleman_of(system);
  link.host = node->host;
  link.port = node->port;
  link.token = options.token;
  link.pid = getpid();
  link.timeout_ms = options.dial_timeout_ms;
  link.inference = std::move(*inference);
  link.on_end = on_end;
  system.spawn(actors::agent_link, std::move(link));
  auto why = reason.get();
  return why.code == runtime::error_code::node_lost ? 0 : fail(why);
}

}  // namespace dim::tools
