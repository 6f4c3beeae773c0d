// Hosts and connections; what travels over them is in network_packets.cpp.
#include "tests/simulation/network.hpp"

#include <algorithm>
#include <utility>

#include "runtime/actor_base.hpp"

namespace dim::simulation {

namespace {

struct dialer_state {
  static inline const char* name = "DIALER";
};

/// A refused connection comes back as fast as any packet.
caf::error refusal() {
  return caf::make_error(caf::sec::cannot_connect_to_node);
}

}  // namespace

network::network(simulator& sim, link_quality quality) : sim_(sim), quality_(quality) {
}

network::~network() {
  on_packet = nullptr;
  on_silence = nullptr;
  for (auto& one : hosts_)
    one.up = false;
  for (auto& [id, each] : connections_)
    for (auto& one : each.sides)
      for (auto& [target, proxy] : one.proxies)
        static_cast<caf::actor_proxy*>(proxy->get())->kill_proxy(nullptr, caf::exit_reason::kill);
}

host_id network::add_host(std::string name) {
  hosts_.push_back({std::move(name), false, false, {}, 0});
  return static_cast<host_id>(hosts_.size() - 1);
}

void network::start_host(host_id which) {
  auto& one = hosts_.at(static_cast<std::size_t>(which));
  one.up = true;
  ++one.life;
  // What an older life of this host left open is refused by the new one.
  for (auto& [id, each] : connections_)
    for (int mine = 0; mine < 2; ++mine)
      if (each.sides[mine].host == which && each.sides[1 - mine].open)
        post(id, mine, [this, id = id, mine] { close(id, 1 - mine, false); });
}

void network::listen(host_id which, caf::actor entry) {
  hosts_.at(static_cast<std::size_t>(which)).entry = std::move(entry);
}

void network::stop_host(host_id which, bool silently) {
  auto& one = hosts_.at(static_cast<std::size_t>(which));
  if (!one.up)
    return;
  if (one.frozen)
    thaw(which);
  for (auto& [id, each] : connections_)
    for (int mine = 0; mine < 2; ++mine) {
      auto& ours = each.sides[mine];
      if (ours.host != which || !std::exchange(ours.open, false))
        continue;
      ours.proxies.clear();
      if (!silently && each.sides[1 - mine].open)
        post(id, mine, [this, id = id, mine] { close(id, 1 - mine, false); });
      close_after_silence(id, 1 - mine);
    }
  one.up = false;
  one.entry = {};
  for (host_id other = 0; other < static_cast<host_id>(hosts_.size()); ++other)
    if (other != which) {
      changed(which, other);
      watch_silence(which, other);
    }
}

void network::freeze(host_id which) {
  auto& one = hosts_.at(static_cast<std::size_t>(which));
  if (!one.up || std::exchange(one.frozen, true))
    return;
  sim_.actors().freeze(which);
  for (host_id other = 0; other < static_cast<host_id>(hosts_.size()); ++other)
    if (other != which)
      watch_silence(which, other);
}

void network::thaw(host_id which) {
  auto& one = hosts_.at(static_cast<std::size_t>(which));
  if (!std::exchange(one.frozen, false))
    return;
  sim_.actors().thaw(which);
  for (host_id other = 0; other < static_cast<host_id>(hosts_.size()); ++other)
    if (other != which)
      changed(which, other);
}

bool network::is_cut(host_id from, host_id to) const {
  auto found = directions_.find({from, to});
  return found != directions_.end() && found->second.cuts > 0;
}

bool network::passes(host_id from, host_id to) const {
  auto& sender = hosts_[static_cast<std::size_t>(from)];
  return sender.up && !sender.frozen && !is_cut(from, to);
}

void network::cut(host_id from, host_id to) {
  ++direction_of(from, to).cuts;
  watch_silence(from, to);
}

void network::heal(host_id from, host_id to) {
  auto& way = direction_of(from, to);
  if (way.cuts == 0 || --way.cuts > 0)
    return;
  changed(from, to);
  // In the order in which they were sent, and before whatever is sent from now on.
  auto due = sim_.now() + std::chrono::microseconds{draw_delay()};
  for (auto& arrival : std::exchange(way.held_back, {})) {
    due += std::chrono::microseconds{1};
    sim_.deeds.at(due, std::move(arrival));
  }
  for (auto& [id, each] : connections_)
    for (int mine = 0; mine < 2; ++mine)
      if (each.sides[mine].host == from && each.sides[1 - mine].host == to)
        each.sides[mine].last_arrival = std::max(each.sides[mine].last_arrival, due);
}

void network::changed(host_id from, host_id to) {
  ++direction_of(from, to).change;
}

void network::watch_silence(host_id from, host_id to) {
  auto change = direction_of(from, to).change;
  auto heartbeat_us = static_cast<std::uint64_t>(quality_.heartbeat_ms) * 1'000;
  auto late_us = static_cast<std::int64_t>(sim_.random.below(heartbeat_us));
  sim_.after_us(quality_.lost_ms * 1'000 + late_us,
                [this, from, to, change] { note_silence(from, to, change); });
}

void network::note_silence(host_id from, host_id to, std::uint64_t change) {
  if (direction_of(from, to).change != change || passes(from, to))
    return;
  for (auto& [id, each] : connections_)
    for (int viewer = 0; viewer < 2; ++viewer)
      if (each.sides[viewer].host == to && each.sides[1 - viewer].host == from
          && each.sides[viewer].open) {
        if (on_silence)
          on_silence(to, from);
        close(id, viewer, true);
      }
}

void network::close(connection_id id, int at, bool tell_peer) {
  auto& each = connections_.at(id);
  auto& ours = each.sides[at];
  if (!std::exchange(ours.open, false))
    return;
  for (auto& [target, proxy] : std::exchange(ours.proxies, {}))
    static_cast<caf::actor_proxy*>(proxy->get())
      ->kill_proxy(nullptr, caf::exit_reason::remote_link_unreachable);
  if (tell_peer)
    post(id, at, [this, id, at] { close(id, 1 - at, false); });
  close_after_silence(id, 1 - at);
}

void network::close_after_silence(connection_id id, int at) {
  sim_.after_us((quality_.lost_ms + quality_.heartbeat_ms) * 1'000,
                [this, id, at] { close(id, at, false); });
}

caf::io::middleman_actor network::spawn_dialer(host_id which) {
  using self_pointer = runtime::actor_self<caf::actor, dialer_state>;
  caf::actor dialer;
  sim_.as(which, [&] {
    dialer = sim_.system().spawn([this, which](self_pointer self) -> caf::behavior {
      return {[this, which, self](caf::connect_atom, const std::string&, std::uint16_t port) {
        auto promise = self->make_response_promise<caf::node_id, caf::strong_actor_ptr,
                                                   std::set<std::string>>();
        dial(which, static_cast<host_id>(port) - 1, promise);
        return promise;
      }};
    });
  });
  return caf::actor_cast<caf::io::middleman_actor>(dialer);
}

void network::dial(host_id from, host_id to, dial_promise promise) {
  auto life = hosts_.at(static_cast<std::size_t>(from)).life;
  post_packet(from, to, nullptr, 0,
              [this, from, to, life, promise] { accept(from, to, life, promise); });
}

void network::accept(host_id from, host_id to, std::uint32_t life, dial_promise promise) {
  auto& caller = hosts_[static_cast<std::size_t>(from)];
  auto& callee = hosts_[static_cast<std::size_t>(to)];
  if (!caller.up || caller.life != life || callee.frozen)
    return;
  if (!callee.up || !callee.entry) {
    sim_.after_us(draw_delay(), [this, from, life, promise]() mutable {
      auto& one = hosts_[static_cast<std::size_t>(from)];
      if (one.up && one.life == life)
        promise.deliver(refusal());
    });
    return;
  }
  auto id = ++last_connection_;
  auto& made = connections_[id];
  made.sides[0].host = from;
  made.sides[1].host = to;
  made.sides[1].open = true;
  auto entry = caf::actor_cast<caf::strong_actor_ptr>(callee.entry);
  post(id, 1, [this, id, entry, promise]() mutable {
    connections_.at(id).sides[0].open = true;
    promise.deliver(caf::node_id{}, view(id, 0, entry), std::set<std::string>{});
  });
  // A handshake that is lost on its way back leaves nothing open.
  sim_.after_us(quality_.lost_ms * 1'000, [this, id] {
    if (!connections_.at(id).sides[0].open)
      close(id, 1, false);
  });
}

}  // namespace dim::simulation
