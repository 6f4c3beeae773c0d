// What travels between hosts: messages through proxies, and the news that an actor has ended.
#include <algorithm>
#include <utility>

#include "actors/cluster/interface.hpp"
#include "actors/type_ids.hpp"
#include "tests/simulation/network.hpp"

namespace dim::simulation {

/// What a host holds instead of an actor of another host. Like BASP's it swallows what is sent to
/// it once its connection is closed.
class remote_proxy final : public caf::actor_proxy {
public:
  remote_proxy(caf::actor_config& config, network* net, std::uint64_t connection, int viewer,
               caf::strong_actor_ptr target)
    : caf::actor_proxy(config), net_(net), connection_(connection), viewer_(viewer),
      target_(std::move(target)) {
  }

  void enqueue(caf::mailbox_element_ptr element, caf::execution_unit*) override {
    if (target_)
      net_->send(connection_, viewer_, element->sender, target_, element->mid,
                 element->move_content_to_message());
  }

  void kill_proxy(caf::execution_unit* unit, caf::error reason) override {
    target_ = nullptr;
    cleanup(std::move(reason), unit);
  }

private:
  network* net_;
  std::uint64_t connection_;
  int viewer_;
  caf::strong_actor_ptr target_;
};

std::int64_t network::draw_delay() {
  auto is_long = sim_.random.unit() < quality_.long_share;
  auto most = is_long ? quality_.long_delay_us_max : quality_.delay_us_max;
  auto span = static_cast<std::uint64_t>(std::max<std::int64_t>(most - quality_.delay_us_min, 1));
  return quality_.delay_us_min + static_cast<std::int64_t>(sim_.random.below(span));
}

void network::send(connection_id id, int from_side, caf::strong_actor_ptr source,
                   caf::strong_actor_ptr target, caf::message_id mid, caf::message content) {
  auto& each = connections_.at(id);
  auto from = each.sides[from_side].host;
  auto to = each.sides[1 - from_side].host;
  if (!each.sides[from_side].open || !hosts_[static_cast<std::size_t>(from)].up)
    return;
  ++packets_sent;
  packet_fate fate;
  if (on_packet) {
    packet what{from, to, sim_.steps_taken.name_of(sim_.system(), content), std::move(content)};
    fate = on_packet(what);
    content = std::move(what.content);
  }
  if (!quality_.in_order) {
    fate.dropped = fate.dropped || sim_.random.unit() < quality_.loss;
    fate.extra_copies += sim_.random.unit() < quality_.duplicates ? 1 : 0;
  }
  if (fate.dropped) {
    ++packets_lost;
    return;
  }
  for (std::uint32_t copy = 0; copy <= fate.extra_copies; ++copy)
    post_packet(from, to, quality_.in_order ? &each.sides[from_side] : nullptr, fate.delay_us,
                [this, id, to_side = 1 - from_side, source, target, mid, content] {
                  deliver(id, to_side, source, target, mid, content);
                });
}

void network::post(connection_id id, int from_side, timeline::deed arrival) {
  auto& each = connections_.at(id);
  post_packet(each.sides[from_side].host, each.sides[1 - from_side].host,
              quality_.in_order ? &each.sides[from_side] : nullptr, 0, std::move(arrival));
}

void network::post_packet(host_id from, host_id to, side* ordered_by, std::int64_t extra_us,
                          timeline::deed arrival) {
  auto due = sim_.now() + std::chrono::microseconds{draw_delay() + extra_us};
  if (ordered_by != nullptr) {
    due = std::max(due, ordered_by->last_arrival + std::chrono::microseconds{1});
    ordered_by->last_arrival = due;
  }
  auto life = hosts_[static_cast<std::size_t>(to)].life;
  sim_.deeds.at(due, [this, from, to, life, arrival = std::move(arrival)] {
    arrive(from, to, life, arrival);
  });
}

void network::arrive(host_id from, host_id to, std::uint32_t life,
                     const timeline::deed& arrival) {
  auto& receiver = hosts_[static_cast<std::size_t>(to)];
  if (!is_cut(from, to)) {
    // A process that was started anew knows nothing of what was sent to the one before it, but a
    // machine without the process still refuses those who dial it.
    if (receiver.life == life)
      arrival();
    return;
  }
  if (!quality_.in_order) {
    ++packets_lost;
    return;
  }
  direction_of(from, to).held_back.push_back(
    [this, from, to, life, arrival] { arrive(from, to, life, arrival); });
}

void network::deliver(connection_id id, int to_side, const caf::strong_actor_ptr& source,
                      const caf::strong_actor_ptr& target, caf::message_id mid,
                      caf::message content) {
  auto& ours = connections_.at(id).sides[to_side];
  if (!ours.open || !hosts_[static_cast<std::size_t>(ours.host)].up) {
    ++packets_lost;
    return;
  }
  sim_.steps_taken.mix(static_cast<std::uint64_t>(ours.host));
  translate(id, to_side, content);
  if (sim_.steps_taken.is_written())
    sim_.steps_taken.line(sim_.now_us(),
                          "net " + name_of(connections_.at(id).sides[1 - to_side].host) + " -> "
                            + name_of(ours.host) + " " + caf::to_string(content).substr(0, 200));
  sim_.as(ours.host, [&] {
    target->enqueue(view(id, to_side, source), mid, std::move(content), nullptr);
  });
}

caf::strong_actor_ptr network::view(connection_id id, int viewer,
                                    const caf::strong_actor_ptr& target) {
  if (!target)
    return nullptr;
  auto& ours = connections_.at(id).sides[viewer];
  if (sim_.actors().home_of(target->id()) == ours.host)
    return target;
  auto& proxy = ours.proxies[target->id()];
  if (!proxy) {
    caf::actor_config config;
    auto& system = sim_.system();
    proxy = caf::make_actor<remote_proxy, caf::strong_actor_ptr>(
      system.next_actor_id(), system.node(), &system, config, this, id, viewer, target);
    auto* actor = static_cast<caf::abstract_actor*>(target->get());
    actor->attach_functor([this, id, viewer, number = target->id()](const caf::error& reason) {
      note_end(id, viewer, number, reason);
    });
  }
  return proxy;
}

void network::note_end(connection_id id, int viewer, caf::actor_id target,
                       const caf::error& reason) {
  auto& each = connections_.at(id);
  if (!hosts_[static_cast<std::size_t>(each.sides[1 - viewer].host)].up
      || !each.sides[1 - viewer].open)
    return;
  post(id, 1 - viewer, [this, id, viewer, target, reason] {
    auto& proxies = connections_.at(id).sides[viewer].proxies;
    auto found = proxies.find(target);
    if (found == proxies.end())
      return;
    auto proxy = std::move(found->second);
    proxies.erase(found);
    static_cast<caf::actor_proxy*>(proxy->get())->kill_proxy(nullptr, reason);
  });
}

void network::translate(connection_id id, int viewer, caf::message& content) {
  if (!content.match_elements<actors::join_cluster>())
    return;
  auto& handle = content.get_mutable_as<actors::join_cluster>(0).handle;
  handle = caf::actor_cast<actors::node_actor>(
    view(id, viewer, caf::actor_cast<caf::strong_actor_ptr>(handle)));
}

}  // namespace dim::simulation
