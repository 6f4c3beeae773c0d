#pragma once

#include <cstdint>
#include <deque>
#include <list>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "runtime/random_source.hpp"
#include "tests/simulation/basp_process.hpp"

namespace dim::simulation {

/// How the network behaves, in microseconds of virtual time.
struct network_weather {
  std::int64_t latency_min_us = 50;
  std::int64_t latency_max_us = 3'000;
  /// Beside it, for messages of links that a fault slows down.
  std::int64_t extra_min_us = 0;
  std::int64_t extra_max_us = 0;
  /// Share of the segments in which a bit is flipped.
  double corrupted = 0.0;
};

/// What happened on the wire.
struct network_counts {
  std::uint64_t dialled = 0;
  std::uint64_t refused = 0;
  std::uint64_t dropped = 0;
  std::uint64_t segments = 0;
  std::uint64_t bytes = 0;
  std::uint64_t corrupted = 0;
  std::uint64_t truncated = 0;
};

/// The wires between simulated processes: what one broker has written arrives at the other as a
/// segment, in order and after a delay, unless the link is cut. A connection ends as TCP ends it:
/// the other side reads an error, after the same delay, or never while the link is cut.
class basp_network {
public:
  explicit basp_network(std::uint64_t seed) : random_(seed) {
  }

  network_weather weather;

  /// `process` accepts connections to `host`, whatever the port, from now on.
  void listen(basp_process& process, const std::string& host, std::uint16_t port);

  /// The middleman of `process` is about to connect to `host`: makes the connection, or lets it
  /// fail.
  void dial(basp_process& process, const std::string& host, std::uint16_t port, time_point now);

  /// Takes what `process` has written, or closed, since the last call.
  void collect(basp_process& process, time_point now);

  /// The process is gone. `tells`: its peers read an error soon, as they do when a process is
  /// killed; else they hear nothing, as when its machine loses power.
  void remove(basp_process& process, bool tells, time_point now);

  /// Cuts what `from` sends to `to`; both ways need two calls.
  void cut(const std::string& from, const std::string& to);
  void heal(const std::string& from, const std::string& to);
  bool is_cut(const std::string& from, const std::string& to) const;

  /// Ends the connections between the two, at both sides, in the middle of what is on its way.
  void drop(const std::string& left, const std::string& right, time_point now);

  /// When the next segment arrives at a process that `is_awake`; nothing when none is under way.
  template <class IsAwake>
  std::optional<time_point> next_arrival(const IsAwake& is_awake) const;

  /// Delivers one segment that is due to a process that `is_awake`; the receiving process, or null
  /// when none is due. `size` is set to its bytes.
  template <class IsAwake>
  basp_process* deliver(time_point now, const IsAwake& is_awake, std::size_t& size);

  const network_counts& counts() const noexcept {
    return counts_;
  }
  std::size_t connections() const noexcept {
    return links_.size();
  }

private:
  enum class news : std::uint8_t { open, bytes, end };

  struct segment {
    news what = news::bytes;
    std::vector<char> data;
    time_point due;
  };

  /// One direction's receiving end.
  struct side {
    std::string name;
    /// Null once that process is gone.
    basp_process* process = nullptr;
    caf::io::connection_handle handle;
    /// Accepted, or dialled: its broker knows the connection.
    bool is_open = false;
    bool is_closed = false;
    /// What is on its way to this side.
    std::deque<segment> incoming;
  };
  struct link {
    side dialler;
    side listener;
    std::string host;
    std::uint16_t port = 0;
    /// Nothing arrives any more but the end.
    bool is_broken = false;
  };
  struct listener {
    basp_process* process = nullptr;
    caf::io::accept_handle handle;
  };

  void send(side& to, news what, std::vector<char> data, time_point now);
  /// False when the middleman did not take the connection after all.
  bool confirm_dial(link& over);
  void collect_side(link& over, side& from, side& to, time_point now);
  void arrive(side& to);
  void break_link(link& over, time_point now);
  bool can_arrive(const side& from, const side& to) const {
    return !is_cut(from.name, to.name);
  }
  void forget_ended();

  runtime::random_source random_;
  std::int64_t last_handle_ = 0;
  std::map<std::string, listener> listeners_;
  std::list<link> links_;
  std::set<std::pair<std::string, std::string>> cuts_;
  network_counts counts_;
};

template <class IsAwake>
std::optional<time_point> basp_network::next_arrival(const IsAwake& is_awake) const {
  std::optional<time_point> next;
  for (auto& each : links_)
    for (auto [to, from] : {std::pair{&each.dialler, &each.listener},
                            std::pair{&each.listener, &each.dialler}}) {
      if (to->incoming.empty() || to->process == nullptr || !is_awake(*to->process)
          || !can_arrive(*from, *to))
        continue;
      const auto due = to->incoming.front().due;
      if (!next || due < *next)
        next = due;
    }
  return next;
}

template <class IsAwake>
basp_process* basp_network::deliver(time_point now, const IsAwake& is_awake, std::size_t& size) {
  std::vector<side*> ready;
  for (auto& each : links_)
    for (auto [to, from] : {std::pair{&each.dialler, &each.listener},
                            std::pair{&each.listener, &each.dialler}})
      if (!to->incoming.empty() && to->process != nullptr && to->incoming.front().due <= now
          && is_awake(*to->process) && can_arrive(*from, *to))
        ready.push_back(to);
  if (ready.empty())
    return nullptr;
  auto* to = ready[random_.below(ready.size())];
  auto* process = to->process;
  size = to->incoming.front().data.size();
  arrive(*to);
  return process;
}

}  // namespace dim::simulation
