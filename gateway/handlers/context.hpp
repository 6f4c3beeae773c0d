#pragma once

#include <chrono>
#include <functional>

#include "gateway/actor_bridge.hpp"
#include "gateway/http_status.hpp"
#include "gateway/job_draft.hpp"
#include "gateway/json_writer.hpp"
#include "gateway/router.hpp"
#include "runtime/directory_messages.hpp"

namespace dim::gateway {

/// What all handlers share. It outlives the routes that hold a reference to it.
struct handler_context {
  actor_bridge& bridge;
  job_limits jobs;
  /// From a request to the actors' answer, beside what the request itself asks to wait.
  std::chrono::milliseconds request_timeout{30'000};
  /// The same where an uploaded model is opened.
  std::chrono::milliseconds upload_timeout{150'000};
  /// The same where a model is loaded to be served, or unloaded.
  std::chrono::milliseconds load_timeout{300'000};
  std::uint32_t wait_ms_max = 60'000;
  std::uint32_t uploads_max = 8;
  /// One request's body, after decompression too.
  std::uint64_t body_bytes_max = 64ull << 20;
  std::string server_name = "dim";
  /// Results are sent inside one JSON document up to this size; tensors beyond it stay detached.
  std::uint64_t result_bytes_max = 64ull << 20;
  /// Whether the gateway is about to stop.
  std::function<bool()> is_draining = [] { return false; };
  /// Actors of this process that are stuck. Asks none of them.
  std::function<std::vector<runtime::stuck_actor>()> stuck_here = [] {
    return std::vector<runtime::stuck_actor>{};
  };
};

/// Beyond the time that the actors were given for something that needs an agent: so that they, and
/// not the bridge, say how it ended.
inline constexpr std::chrono::milliseconds start_grace{3'000};

/// Asks the actors and answers the exchange: `render(reply)` makes the answer of a good reply,
/// and a failure becomes its own status.
template <class Reply, class Message, class Render>
void answer_with(const handler_context& context, const exchange_ptr& exchange, Message message,
                 Render render) {
  context.bridge.ask<Reply>(exchange, std::move(message), context.request_timeout,
                            [exchange, render](runtime::expected<Reply> outcome) {
                              if (outcome)
                                exchange->reply(render(*outcome));
                              else
                                exchange->reply(failure_reply(outcome.error()));
                            });
}

}  // namespace dim::gateway
