// What a scenario's faults do to a simulated cluster over real BASP.
#include <algorithm>

#include "actors/type_ids.hpp"
#include "tests/simulation/basp_world.hpp"

namespace dim::simulation {

namespace {

using scenario::fault_action;

/// Of a process that was killed, where the plan does not say.
constexpr std::int64_t absence_ms = 3'000;

/// How long a crash waits for the commit at which it is to strike.
constexpr std::int64_t trap_ms = 500;

}  // namespace

void basp_world::count_fault(fault_action action) {
  ++result_.seen.faults[std::string{to_string(action)}];
}

void basp_world::plan_faults() {
  for (const auto& fault : plan_.faults) {
    const auto until = fault.until_ms > 0 ? fault.until_ms : plan_.duration_ms;
    switch (fault.action) {
      case fault_action::delay:
      case fault_action::corrupt:
      case fault_action::slow:
      case fault_action::wrong_result:
      case fault_action::out_of_memory:
        after_ms(fault.from_ms, [this, &fault] { hold(fault, true); });
        after_ms(until, [this, &fault] { hold(fault, false); });
        break;
      default:
        plan_strikes(fault);
    }
  }
}

void basp_world::plan_strikes(const scenario::fault& fault) {
  if (fault.every_ms <= 0)
    return after_ms(fault.from_ms, [this, &fault] { strike(fault); });
  const auto until = fault.until_ms > 0 ? fault.until_ms : plan_.duration_ms;
  for (auto at = fault.from_ms; at < until;) {
    at += static_cast<std::int64_t>(random_.below(2 * static_cast<std::uint64_t>(fault.every_ms)));
    if (at < until)
      after_ms(at, [this, &fault] { strike(fault); });
  }
}

basp_world::host* basp_world::pick(const std::string& pattern) {
  std::vector<host*> fitting;
  for (auto& each : hosts_)
    if (scenario::fits(pattern, each->name))
      fitting.push_back(each.get());
  return fitting.empty() ? nullptr : fitting[random_.below(fitting.size())];
}

void basp_world::strike(const scenario::fault& fault) {
  auto* target = pick(fault.target);
  if (target == nullptr || !target->is_awake())
    return;
  switch (fault.action) {
    case fault_action::kill:
      // What clients know lies in the gateway: it is the observer of the run.
      if (target->kind == role::gateway)
        return;
      kill(*target, fault.lasts_ms);
      break;
    case fault_action::stop:
      freeze(*target, fault.lasts_ms);
      break;
    case fault_action::drop:
      note("drop " + target->name);
      network_.drop(target->name, orchestrator_host, now_);
      break;
    case fault_action::partition:
      partition(fault);
      break;
    case fault_action::fill_disk:
      fill_disk(fault.lasts_ms);
      break;
    case fault_action::clock_skew:
      // The daemon's wall clock is read once, at its start.
      target->wall_base_ms += fault.skew_ms;
      break;
    default:
      return;
  }
  count_fault(fault.action);
}

void basp_world::kill(host& what, std::int64_t lasts_ms) {
  const auto absent_ms = lasts_ms > 0 ? lasts_ms : absence_ms;
  auto* disk = what.orchestrator ? what.orchestrator->disk_state.get() : nullptr;
  if (disk != nullptr && !disk->has_crashed && random_.below(2) == 0) {
    // Just before or just after a commit: nobody has been told.
    disk->set = random_.below(2) == 0 ? simulated_disk::trap::before_commit
                                      : simulated_disk::trap::after_commit;
    const auto starts = what.starts;
    after_ms(trap_ms, [this, &what, starts, absent_ms] {
      if (what.starts != starts || !what.is_up())
        return;
      what.orchestrator->disk_state->set = simulated_disk::trap::none;
      crash(what, true);
      after_ms(absent_ms, [this, &what] { start(what); });
    });
    return;
  }
  crash(what, random_.below(2) == 0);
  after_ms(absent_ms, [this, &what] { start(what); });
}

void basp_world::hold(const scenario::fault& fault, bool begins) {
  if (begins)
    count_fault(fault.action);
  if (fault.action == fault_action::delay) {
    network_.weather.extra_min_us = begins ? fault.delay_ms_min * 1'000 : 0;
    network_.weather.extra_max_us = begins ? fault.delay_ms_max * 1'000 : 0;
    return;
  }
  if (fault.action == fault_action::corrupt) {
    network_.weather.corrupted = begins ? fault.probability : 0.0;
    return;
  }
  for (auto& each : hosts_) {
    if (!scenario::fits(fault.target, each->name))
      continue;
    if (fault.action == fault_action::slow)
      each->mood->slow = begins ? fault.factor : 1.0;
    else if (fault.action == fault_action::wrong_result)
      each->mood->wrong = begins ? fault.probability : 0.0;
    else
      each->mood->out_of_memory = begins ? fault.probability : 0.0;
  }
}

void basp_world::partition(const scenario::fault& fault) {
  auto* target = pick(fault.target);
  auto* peer = pick(fault.peer.empty() ? orchestrator_host : fault.peer);
  if (target == nullptr || peer == nullptr || target == peer)
    return;
  note("cut " + target->name + " from " + peer->name);
  network_.cut(target->name, peer->name);
  if (!fault.one_way)
    network_.cut(peer->name, target->name);
  const auto left = target->name;
  const auto right = peer->name;
  after_ms(fault.lasts_ms, [this, left, right] {
    network_.heal(left, right);
    network_.heal(right, left);
  });
}

void basp_world::fill_disk(std::int64_t lasts_ms) {
  auto& target = *hosts_.front();
  if (!target.orchestrator)
    return;
  note("fill the disk");
  target.orchestrator->disk_state->is_full = true;
  after_ms(lasts_ms, [&target] {
    if (target.orchestrator)
      target.orchestrator->disk_state->is_full = false;
  });
}

void basp_world::end_faults() {
  note("end of the faults");
  faults_are_over_ = true;
  for (const auto& fault : plan_.faults)
    if (fault.action == fault_action::delay || fault.action == fault_action::corrupt)
      hold(fault, false);
  for (auto& left : hosts_)
    for (auto& right : hosts_)
      network_.heal(left->name, right->name);
  for (auto& each : hosts_) {
    each->mood->slow = 1.0;
    each->mood->wrong = each->mood->out_of_memory = 0.0;
    if (each->is_up() && each->is_frozen) {
      each->is_frozen = false;
      each->process->advance_to(now_);
    }
    if (each->orchestrator)
      each->orchestrator->disk_state->is_full = false;
  }
}

}  // namespace dim::simulation
