#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <caf/actor_proxy.hpp>
#include <caf/all.hpp>
#include <caf/io/middleman_actor.hpp>

#include "tests/simulation/simulator.hpp"

namespace dim::simulation {

/// How links behave. Delays are in microseconds, shares from 0 to 1.
struct link_quality {
  std::int64_t delay_us_min = 100;
  std::int64_t delay_us_max = 5'000;
  /// Share of packets that take up to `long_delay_us_max`.
  double long_share = 0.01;
  std::int64_t long_delay_us_max = 200'000;
  /// As over TCP: in order, and what a cut link holds back comes when it heals. Without it packets
  /// overtake each other, and these shares of them are lost or come twice.
  bool in_order = true;
  double loss = 0.0;
  double duplicates = 0.0;
  /// Silence after which a side gives the connection up, in milliseconds, and the pause between two
  /// looks.
  std::int64_t lost_ms = 10'000;
  std::int64_t heartbeat_ms = 1'000;
};

/// A message between two hosts, as a fault or a planted bug sees it.
struct packet {
  host_id from = no_host;
  host_id to = no_host;
  /// The type of the message's first element.
  std::string type;
  caf::message content;
};

/// What a fault makes of one packet.
struct packet_fate {
  bool dropped = false;
  std::uint32_t extra_copies = 0;
  std::int64_t delay_us = 0;
};

/// The network between simulated processes. An actor of another host is held through a proxy, as
/// with BASP; each connection has its own proxies, which end when their side of it does:
///
///   dialled --accepted--> open --closed by the peer, its process died, silence--> closed
///
/// A side learns that the other is gone at once when its process ends, and after `lost_ms` when
/// nothing comes any more: the link is cut, the process is frozen, the machine is off. Packets on
/// their way to a host that has crashed, or over a connection that is closed, are lost.
class network {
public:
  network(simulator& sim, link_quality quality);
  ~network();
  network(const network&) = delete;
  network& operator=(const network&) = delete;

  host_id add_host(std::string name);
  const std::string& name_of(host_id host) const {
    return hosts_.at(static_cast<std::size_t>(host)).name;
  }
  std::size_t hosts() const noexcept {
    return hosts_.size();
  }
  bool is_up(host_id host) const {
    return hosts_.at(static_cast<std::size_t>(host)).up;
  }
  bool is_frozen(host_id host) const {
    return hosts_.at(static_cast<std::size_t>(host)).frozen;
  }

  void start_host(host_id host);
  /// Who answers those that dial this host; an empty handle ends it.
  void listen(host_id host, caf::actor entry);
  /// A process ends. Its peers learn it at once, unless `silently`: then its machine is off.
  void stop_host(host_id host, bool silently);
  /// SIGSTOP and SIGCONT.
  void freeze(host_id host);
  void thaw(host_id host);

  /// Nothing that `from` sends reaches `to` until it is healed. Cuts of one direction add up.
  void cut(host_id from, host_id to);
  void heal(host_id from, host_id to);
  bool is_cut(host_id from, host_id to) const;

  /// Spawns what a process dials others with. The host to dial is the port number less one.
  caf::io::middleman_actor spawn_dialer(host_id host);

  /// Decides about a packet, and may change its content. Empty: nothing happens to any.
  std::function<packet_fate(packet&)> on_packet;

  /// Called when a side of a connection gives the other up after silence.
  std::function<void(host_id viewer, host_id lost)> on_silence;

  /// Counts for the report.
  std::uint64_t packets_sent = 0;
  std::uint64_t packets_lost = 0;

private:
  friend class remote_proxy;
  using connection_id = std::uint64_t;
  using dial_promise = caf::typed_response_promise<caf::node_id, caf::strong_actor_ptr,
                                                   std::set<std::string>>;

  struct host {
    std::string name;
    bool up = false;
    bool frozen = false;
    caf::actor entry;
    /// Grows with every start.
    std::uint32_t life = 0;
  };
  struct side {
    host_id host = no_host;
    bool open = false;
    /// By the id of the actor that they stand for.
    std::map<caf::actor_id, caf::strong_actor_ptr> proxies;
    /// When the last packet that this side sent arrives.
    time_point last_arrival{};
  };
  struct connection {
    side sides[2];
  };
  struct direction {
    int cuts = 0;
    /// Since when nothing passes; grows with every change.
    std::uint64_t change = 0;
    /// In order: packets that wait until it heals.
    std::deque<timeline::deed> held_back;
  };

  direction& direction_of(host_id from, host_id to) {
    return directions_[{from, to}];
  }
  bool passes(host_id from, host_id to) const;

  // network_packets.cpp
  void send(connection_id id, int from_side, caf::strong_actor_ptr source,
            caf::strong_actor_ptr target, caf::message_id mid, caf::message content);
  void deliver(connection_id id, int to_side, const caf::strong_actor_ptr& source,
               const caf::strong_actor_ptr& target, caf::message_id mid, caf::message content);
  caf::strong_actor_ptr view(connection_id id, int viewer, const caf::strong_actor_ptr& target);
  void translate(connection_id id, int viewer, caf::message& content);
  void post(connection_id id, int from_side, timeline::deed arrival);
  void post_packet(host_id from, host_id to, side* ordered_by, std::int64_t extra_us,
                   timeline::deed arrival);
  void arrive(host_id from, host_id to, std::uint32_t life, const timeline::deed& arrival);
  std::int64_t draw_delay();
  void note_end(connection_id id, int viewer, caf::actor_id target, const caf::error& reason);

  // network.cpp
  void dial(host_id from, host_id to, dial_promise promise);
  void accept(host_id from, host_id to, std::uint32_t life, dial_promise promise);
  void close(connection_id id, int at_side, bool tell_peer);
  /// The other side has closed: should that news be lost, no heartbeat comes any more either.
  void close_after_silence(connection_id id, int at);
  void watch_silence(host_id from, host_id to);
  void note_silence(host_id from, host_id to, std::uint64_t change);
  void changed(host_id from, host_id to);

  simulator& sim_;
  link_quality quality_;
  std::vector<host> hosts_;
  std::map<connection_id, connection> connections_;
  std::map<std::pair<host_id, host_id>, direction> directions_;
  connection_id last_connection_ = 0;
};

}  // namespace dim::simulation
