#include <sstream>

#include <toml++/toml.h>

#include "tools/scenario/durations.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::scenario {

namespace {

toml::array list_of(const std::vector<std::string>& entries) {
  toml::array result;
  for (const auto& entry : entries)
    result.push_back(entry);
  return result;
}

std::int64_t whole(std::uint64_t value) {
  return static_cast<std::int64_t>(value);
}

toml::table table_of(const workload& load) {
  toml::table result;
  result.insert("jobs", whole(load.jobs));
  result.insert("rate", load.rate);
  result.insert("patterns", list_of(load.patterns));
  result.insert("cancelled", load.cancelled);
  result.insert("resubmitted", load.resubmitted);
  result.insert("timeout", duration_text(whole(load.timeout_ms)));
  if (!load.models.empty())
    result.insert("models", list_of(load.models));
  return result;
}

/// Only what differs from the default: a member that means nothing for the action is a problem.
toml::table table_of(const fault& one) {
  const fault defaults;
  toml::table result;
  result.insert("action", std::string{to_string(one.action)});
  result.insert("target", one.target);
  if (!one.peer.empty())
    result.insert("peer", one.peer);
  if (one.one_way)
    result.insert("one_way", true);
  if (!one.messages.empty())
    result.insert("messages", list_of(one.messages));
  result.insert("from", duration_text(one.from_ms));
  for (auto [key, value] : {std::pair{"until", one.until_ms}, std::pair{"every", one.every_ms},
                            std::pair{"lasts", one.lasts_ms}})
    if (value != 0)
      result.insert(key, duration_text(value));
  if (one.probability != defaults.probability)
    result.insert("probability", one.probability);
  if (one.action == fault_action::delay)
    result.insert("delay",
                  list_of({duration_text(one.delay_ms_min), duration_text(one.delay_ms_max)}));
  if (one.action == fault_action::slow)
    result.insert("factor", one.factor);
  if (one.action == fault_action::clock_skew)
    result.insert("skew", one.skew_ms);
  return result;
}

}  // namespace

std::string write_scenario(const scenario& plan) {
  toml::table root;
  root.insert("name", plan.name);
  if (!plan.description.empty())
    root.insert("description", plan.description);
  root.insert("seed", whole(plan.seed));
  root.insert("nodes", whole(plan.nodes));
  root.insert("duration", duration_text(plan.duration_ms));
  root.insert("settle", duration_text(plan.settle_ms));
  root.insert("workload", table_of(plan.load));
  if (!plan.faults.empty()) {
    toml::array faults;
    for (const auto& one : plan.faults)
      faults.push_back(table_of(one));
    root.insert("fault", std::move(faults));
  }
  std::ostringstream text;
  text << root << "\n";
  return text.str();
}

}  // namespace dim::scenario
