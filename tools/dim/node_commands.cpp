// dim node: what an operator may want of one node.
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/option_checks.hpp"

namespace dim::tools {

namespace {

constexpr auto look_pause = std::chrono::milliseconds{250};

struct node_order {
  std::string id;
  /// drain: return when the node has nothing in hand any more.
  bool waits = false;
  std::uint32_t wait_ms = 120'000;
};

target node_target(const std::string& id) {
  return target{"/api/v1/nodes"}.at(id);
}

/// One line for people, the gateway's answer for programs.
int tell(session& with, const json& node) {
  if (with.is_json())
    with.io().out << pretty(node);
  else
    with.io().out << cleaned(text_at(node, "name") + " is " + text_at(node, "state")) << '\n';
  with.io().out << std::flush;
  return 0;
}

bool is_empty(const json& node) {
  return text_at(node, "state") == "offline"
         || list_at(member_of(node, "load"), "active_executions").empty();
}

/// Looks until the node has nothing in hand. A drain begins with the next heartbeat: what was in
/// hand before it is still told then.
int wait_until_empty(session& with, const node_order& order) {
  const auto end = with.io().now() + std::chrono::milliseconds{order.wait_ms};
  std::string heartbeat;
  while (true) {
    const auto node = with.get(node_target(order.id));
    if (!node)
      return report(with.io(), node.error());
    const auto latest = text_at(*node, "last_heartbeat");
    if (heartbeat.empty())
      heartbeat = latest;
    const bool is_fresh = latest != heartbeat || text_at(*node, "state") == "offline";
    if (is_fresh && is_empty(*node))
      return tell(with, *node);
    if (with.io().now() >= end)
      return report(with.io(),
                    {exit_status::failed, "the node still has work in hand", "timeout", {}});
    with.io().pause(look_pause);
  }
}

int send_order(session& with, const std::string& word, const node_order& order) {
  http_request request;
  request.method = "POST";
  request.target = node_target(order.id).at(word).text();
  const auto answer = with.send(request);
  if (!answer)
    return report(with.io(), answer.error());
  if (order.waits)
    return wait_until_empty(with, order);
  return tell(with, *answer);
}

CLI::App* add_order(CLI::App& group, command& chosen, const std::string& word,
                    const std::string& meaning, const std::shared_ptr<node_order>& order) {
  auto* added = group.add_subcommand(word, meaning);
  added->add_option("id", order->id, "The node's id, the beginning of it, or its name")
    ->required()
    ->check(not_empty());
  added->callback([word, order, &chosen] {
    chosen = [word, order](session& with) { return send_order(with, word, *order); };
  });
  added->fallthrough();
  return added;
}

}  // namespace

void add_node(CLI::App& app, command& chosen) {
  auto* group = app.add_subcommand("node", "Keep a node from new work, or give it work again");
  group->require_subcommand(1);
  const auto order = std::make_shared<node_order>();
  add_order(*group, chosen, "quarantine", "No new work until it is released", order);
  add_order(*group, chosen, "release", "Work again, without waiting for probes", order);
  add_order(*group, chosen, "undrain", "Work again after a drain", order);
  auto* drain = add_order(*group, chosen, "drain",
                          "No new work: what waits moves to other nodes, what runs may end", order);
  drain->add_flag("--wait", order->waits, "Return when the node has nothing in hand");
  drain->add_option("--wait-ms", order->wait_ms, "At most this long; 120000 when not given");
}

}  // namespace dim::tools
