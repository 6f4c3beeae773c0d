// Faults on processes, actors, links and disks; those on messages and forwards are in
// fault_driver_effects.cpp.
#include "tests/simulation/fault_driver.hpp"

#include <algorithm>
#include <utility>

namespace dim::simulation {

using scenario::fault;
using scenario::fault_action;

namespace {

/// A process that ended by itself, and whoever started it again.
constexpr std::int64_t restart_ms = 1'000;

constexpr std::string_view actor_prefix = "actor/";
constexpr std::string_view agent_prefix = "agent/";

bool is_strike(fault_action action) {
  switch (action) {
    case fault_action::kill:
    case fault_action::stop:
    case fault_action::partition:
    case fault_action::fill_disk:
    case fault_action::clock_skew:
      return true;
    default:
      return false;
  }
}

}  // namespace

fault_driver::fault_driver(simulator& sim, network& net, const scenario::scenario& plan)
  : sim_(sim), net_(net), plan_(plan) {
}

void fault_driver::attach(cluster& processes) {
  cluster_ = &processes;
  cluster_->on_end = [this](host_id host) {
    ++strikes_["process_ended"];
    restart(host, restart_ms);
  };
}

void fault_driver::begin() {
  begin_ms_ = sim_.now_ms();
  for (auto& each : plan_.faults)
    if (is_strike(each.action))
      schedule(each, each.from_ms);
}

std::int64_t fault_driver::end_of(const fault& each) const {
  return each.until_ms > 0 ? std::min(each.until_ms, plan_.duration_ms) : plan_.duration_ms;
}

bool fault_driver::is_open(const fault& each) const {
  return is_running() && now_ms() >= each.from_ms && now_ms() < end_of(each);
}

std::int64_t fault_driver::until_end(std::int64_t lasts_ms) const {
  auto left_ms = plan_.duration_ms - now_ms();
  return std::clamp<std::int64_t>(left_ms, 0, std::max<std::int64_t>(lasts_ms, 1));
}

void fault_driver::schedule(const fault& each, std::int64_t at_ms) {
  auto at = at_ms;
  if (each.every_ms > 0)
    at += static_cast<std::int64_t>(
      sim_.random.below(static_cast<std::uint64_t>(each.every_ms) * 2));
  if (at >= (each.every_ms > 0 ? end_of(each) : plan_.duration_ms))
    return;
  sim_.after_us((begin_ms_ + at - sim_.now_ms()) * 1'000, [this, each, at] {
    if (sim_.random.unit() < each.probability)
      strike(each);
    if (each.every_ms > 0)
      schedule(each, at);
  });
}

void fault_driver::count(const fault& each, const std::string& where) {
  ++strikes_[std::string{to_string(each.action)}];
  sim_.steps_taken.mix(where);
  if (sim_.steps_taken.is_written())
    sim_.steps_taken.line(sim_.now_us(),
                          "fault " + std::string{to_string(each.action)} + " " + where + " for "
                            + std::to_string(each.lasts_ms) + " ms");
}

void fault_driver::strike(const fault& each) {
  switch (each.action) {
    case fault_action::kill:
      return kill(each);
    case fault_action::stop:
      return stop(each);
    case fault_action::partition:
      return partition(each);
    case fault_action::fill_disk:
      count(each, "orchestrator");
      disk_full_until_ms_ = now_ms() + until_end(each.lasts_ms);
      return;
    case fault_action::clock_skew:
      // A process takes the wall clock once, at its start.
      for (auto host : hosts_that_fit(each.target)) {
        count(each, net_.name_of(host));
        sim_.skew_clock(host, each.skew_ms);
      }
      return;
    default:
      return;
  }
}

std::vector<host_id> fault_driver::hosts_that_fit(std::string_view pattern) const {
  std::vector<host_id> result;
  for (host_id host = 0; host < static_cast<host_id>(net_.hosts()); ++host)
    if (scenario::fits(pattern, net_.name_of(host)))
      result.push_back(host);
  return result;
}

host_id fault_driver::pick(const std::vector<host_id>& hosts) {
  return hosts.empty() ? no_host : hosts[sim_.random.below(hosts.size())];
}

void fault_driver::kill(const fault& each) {
  std::string_view target = each.target;
  if (target.starts_with(actor_prefix))
    return kill_actor(each, target.substr(actor_prefix.size()));
  if (target.starts_with(agent_prefix))
    return kill_actor(each, "INFERENCE@node/*");
  auto host = pick(hosts_that_fit(target));
  if (host == no_host || !net_.is_up(host))
    return;
  // A third of the crashes of the orchestrator happen around a commit: the worst moments.
  auto moment = host == cluster::orchestrator_host ? sim_.random.below(6) : 2;
  if (moment < 2) {
    commit_crash_ = moment == 0 ? commit_crash::before : commit_crash::after;
    commit_crash_lasts_ms_ = each.lasts_ms;
    return count(each, net_.name_of(host) + " around a commit");
  }
  auto is_silent = sim_.random.below(5) == 0;
  count(each, net_.name_of(host) + (is_silent ? " silently" : ""));
  cluster_->crash(host, is_silent);
  restart(host, until_end(each.lasts_ms));
}

void fault_driver::kill_actor(const fault& each, std::string_view target) {
  auto at = target.find('@');
  auto host = pick(hosts_that_fit(at == target.npos ? "orchestrator" : target.substr(at + 1)));
  auto name = std::string{target.substr(0, at)};
  if (host == no_host || !net_.is_up(host) || net_.is_frozen(host))
    return;
  if (cluster_->crash_actor(host, name))
    count(each, name + "@" + net_.name_of(host));
}

void fault_driver::restart(host_id host, std::int64_t after_ms) {
  sim_.after_us(after_ms * 1'000, [this, host] {
    if (!cluster_->start(host))
      restart(host, restart_ms);
  });
}

void fault_driver::stop(const fault& each) {
  auto host = pick(hosts_that_fit(each.target));
  if (host == no_host || !net_.is_up(host) || net_.is_frozen(host))
    return;
  count(each, net_.name_of(host));
  net_.freeze(host);
  sim_.after_us(until_end(each.lasts_ms) * 1'000, [this, host] { net_.thaw(host); });
}

void fault_driver::cut(host_id from, host_id to, std::int64_t lasts_ms) {
  net_.cut(from, to);
  sim_.after_us(lasts_ms * 1'000, [this, from, to] { net_.heal(from, to); });
}

void fault_driver::partition(const fault& each) {
  auto host = pick(hosts_that_fit(each.target));
  if (host == no_host)
    return;
  count(each, net_.name_of(host) + (each.one_way ? " one way" : ""));
  auto peers = hosts_that_fit(each.peer.empty() ? "*" : each.peer);
  auto lasts_ms = until_end(each.lasts_ms);
  for (auto peer : peers) {
    if (peer == host)
      continue;
    cut(host, peer, lasts_ms);
    if (!each.one_way)
      cut(peer, host, lasts_ms);
  }
}

runtime::disk_faults fault_driver::disk() {
  runtime::disk_faults result;
  auto crash = [this] {
    commit_crash_ = commit_crash::none;
    sim_.after_step([this] {
      cluster_->crash(cluster::orchestrator_host, false);
      restart(cluster::orchestrator_host, until_end(commit_crash_lasts_ms_));
    });
  };
  result.before = [this, crash](runtime::disk_write) {
    if (!is_running())
      commit_crash_ = commit_crash::none;
    if (commit_crash_ == commit_crash::before && cluster_->is_serving()) {
      ++strikes_["crash_before_commit"];
      crash();
      return runtime::write_fate::lost;
    }
    return now_ms() < disk_full_until_ms_ ? runtime::write_fate::full
                                          : runtime::write_fate::proceed;
  };
  result.after = [this, crash](runtime::disk_write) {
    if (commit_crash_ != commit_crash::after || !cluster_->is_serving())
      return;
    ++strikes_["crash_after_commit"];
    crash();
  };
  return result;
}

}  // namespace dim::simulation
