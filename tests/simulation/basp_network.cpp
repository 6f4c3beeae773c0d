#include "tests/simulation/basp_network.hpp"

#include <algorithm>
#include <utility>

#include <caf/io/all.hpp>
#include <caf/io/scribe.hpp>

namespace dim::simulation {

namespace {

using std::chrono::microseconds;

/// Both ways of a link.
template <class Link, class Visit>
void for_both(Link& over, const Visit& visit) {
  visit(over.dialler, over.listener);
  visit(over.listener, over.dialler);
}

}  // namespace

void basp_network::listen(basp_process& process, const std::string& host, std::uint16_t port) {
  const auto handle = caf::io::accept_handle::from_int(++last_handle_);
  process.sockets().provide_acceptor(port, handle);
  listeners_[host] = {&process, handle};
}

void basp_network::dial(basp_process& process, const std::string& host, std::uint16_t port,
                        time_point now) {
  ++counts_.dialled;
  const auto found = listeners_.find(host);
  const auto is_there = found != listeners_.end();
  const auto is_far = is_there
                      && (is_cut(process.name(), found->second.process->name())
                          || is_cut(found->second.process->name(), process.name()));
  if (!is_there || (is_far && random_.below(2) == 0)) {
    ++counts_.refused;
    return;
  }
  auto& over = links_.emplace_back();
  over.host = host;
  over.port = port;
  over.dialler.name = process.name();
  over.dialler.process = &process;
  over.dialler.handle = caf::io::connection_handle::from_int(++last_handle_);
  over.listener.name = found->second.process->name();
  over.listener.process = found->second.process;
  over.listener.handle = caf::io::connection_handle::from_int(++last_handle_);
  process.sockets().provide_scribe(host, port, over.dialler.handle);
  send(over.listener, news::open, {}, now);
}

bool basp_network::confirm_dial(link& over) {
  auto& sockets = over.dialler.process->sockets();
  if (!sockets.has_pending_scribe(over.host, over.port)) {
    over.dialler.is_open = true;
    return true;
  }
  // The middleman has joined this wish to one that is under way.
  sockets.new_tcp_scribe(over.host, over.port);
  return false;
}

void basp_network::collect(basp_process& process, time_point now) {
  for (auto each = links_.begin(); each != links_.end();) {
    const auto is_new = each->dialler.process == &process && !each->dialler.is_open;
    if (is_new && !each->dialler.is_closed && !confirm_dial(*each)) {
      each = links_.erase(each);
      continue;
    }
    for_both(*each, [&](side& from, side& to) {
      if (from.process == &process)
        collect_side(*each, from, to, now);
    });
    ++each;
  }
  forget_ended();
}

void basp_network::collect_side(link& over, side& from, side& to, time_point now) {
  if (!from.is_open || from.is_closed)
    return;
  auto& sockets = from.process->sockets();
  if (!sockets.virtual_network_buffer(from.handle).empty())
    sockets.try_read_data(from.handle);
  auto data = std::exchange(sockets.output_buffer(from.handle), {});
  if (!data.empty() && !over.is_broken)
    send(to, news::bytes, std::move(data), now);
  if (!sockets.stopped_reading(from.handle))
    return;
  from.is_closed = true;
  from.incoming.clear();
  if (!over.is_broken)
    send(to, news::end, {}, now);
}

void basp_network::send(side& to, news what, std::vector<char> data, time_point now) {
  if (to.process == nullptr || to.is_closed)
    return;
  const auto spread = weather.latency_max_us - weather.latency_min_us + 1;
  auto delay = weather.latency_min_us
               + static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(spread)));
  if (weather.extra_max_us > 0)
    delay += weather.extra_min_us
             + static_cast<std::int64_t>(random_.below(
               static_cast<std::uint64_t>(weather.extra_max_us - weather.extra_min_us + 1)));
  auto due = now + microseconds{delay};
  if (!to.incoming.empty())
    due = std::max(due, to.incoming.back().due);
  if (what == news::bytes) {
    ++counts_.segments;
    counts_.bytes += data.size();
    if (weather.corrupted > 0.0 && random_.unit() < weather.corrupted) {
      ++counts_.corrupted;
      data[random_.below(data.size())] ^= static_cast<char>(1u << random_.below(8));
    }
  }
  to.incoming.push_back({what, std::move(data), due});
}

void basp_network::arrive(side& to) {
  auto what = std::move(to.incoming.front());
  to.incoming.pop_front();
  auto& sockets = to.process->sockets();
  if (what.what == news::open) {
    const auto found = std::find_if(listeners_.begin(), listeners_.end(), [&](const auto& each) {
      return each.second.process == to.process;
    });
    sockets.add_pending_connect(found->second.handle, to.handle);
    sockets.accept_connection(found->second.handle);
    to.is_open = true;
    return;
  }
  if (what.what == news::bytes) {
    auto& buffer = sockets.virtual_network_buffer(to.handle);
    buffer.insert(buffer.end(), what.data.begin(), what.data.end());
    sockets.try_read_data(to.handle);
    return;
  }
  to.is_closed = true;
  to.incoming.clear();
  if (auto scribe = sockets.impl_ptr(to.handle))
    scribe->io_failure(&sockets, caf::io::network::operation::read);
}

void basp_network::remove(basp_process& process, bool tells, time_point now) {
  std::erase_if(listeners_, [&](const auto& each) { return each.second.process == &process; });
  for (auto& each : links_)
    for_both(each, [&](side& from, side& to) {
      if (from.process != &process)
        return;
      from.process = nullptr;
      from.incoming.clear();
      if (tells && !each.is_broken)
        send(to, news::end, {}, now);
    });
  forget_ended();
}

void basp_network::cut(const std::string& from, const std::string& to) {
  cuts_.emplace(from, to);
}

void basp_network::heal(const std::string& from, const std::string& to) {
  cuts_.erase({from, to});
}

bool basp_network::is_cut(const std::string& from, const std::string& to) const {
  return cuts_.contains({from, to});
}

void basp_network::drop(const std::string& left, const std::string& right, time_point now) {
  for (auto& each : links_) {
    const auto fits = (each.dialler.name == left && each.listener.name == right)
                      || (each.dialler.name == right && each.listener.name == left);
    if (fits && !each.is_broken)
      break_link(each, now);
  }
}

void basp_network::break_link(link& over, time_point now) {
  ++counts_.dropped;
  over.is_broken = true;
  for (auto* to : {&over.dialler, &over.listener}) {
    auto under_way = std::exchange(to->incoming, {});
    // A connection that has not been accepted yet ends before it begins.
    if (!to->is_open) {
      to->is_closed = true;
      continue;
    }
    if (!under_way.empty() && under_way.front().what == news::bytes) {
      // A part of what was on its way arrives: a message ends in its middle.
      ++counts_.truncated;
      auto& first = under_way.front();
      first.data.resize(random_.below(first.data.size()));
      to->incoming.push_back(std::move(first));
    }
    send(*to, news::end, {}, now);
  }
}

void basp_network::forget_ended() {
  links_.remove_if([](const link& each) {
    const auto is_over = [](const side& at) { return at.process == nullptr || at.is_closed; };
    return is_over(each.dialler) && is_over(each.listener);
  });
}

}  // namespace dim::simulation
