#include <algorithm>
#include <array>
#include <limits>

#include "tools/scenario/plan_table.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::scenario {

namespace {

constexpr std::int64_t nodes_max = 1'000;
constexpr std::int64_t jobs_max = 1'000'000;
constexpr double rate_max = 100'000.0;
constexpr double factor_max = 1'000.0;
constexpr std::array<std::string_view, 5> pattern_names{"single", "replicated", "collaborative",
                                                        "comparative", "chained"};

/// A member that only some actions know.
struct special_member {
  std::string_view key;
  std::vector<fault_action> actions;
  bool is_needed = false;
};

const std::vector<special_member>& special_members() {
  using enum fault_action;
  static const std::vector<special_member> table{
    {"peer", {partition}},
    {"one_way", {partition}},
    {"messages", {drop, delay, duplicate, corrupt}},
    {"delay", {delay}, true},
    {"factor", {slow}, true},
    {"skew", {clock_skew}, true},
    {"probability", {drop, delay, duplicate, corrupt, slow, wrong_result, out_of_memory}},
    {"lasts", {kill, stop, partition, fill_disk, clock_skew}},
    {"every", {kill, stop, partition, fill_disk, clock_skew}},
  };
  return table;
}

bool is_of(fault_action action, const std::vector<fault_action>& list) {
  return std::find(list.begin(), list.end(), action) != list.end();
}

/// Members that mean nothing for the action, or that it can not do without.
void check_members(plan_table& members, fault_action action) {
  for (const auto& special : special_members()) {
    const auto fits_action = is_of(action, special.actions);
    if (!fits_action && members.has(special.key))
      members.refuse(special.key, "means nothing for " + std::string{to_string(action)});
    if (fits_action && special.is_needed && !members.has(special.key))
      members.refuse(special.key, std::string{to_string(action)} + " needs it");
  }
  if (is_of(action, {fault_action::stop, fault_action::partition, fault_action::fill_disk})
      && !members.has("lasts"))
    members.refuse("lasts", std::string{to_string(action)} + " needs it");
}

fault read_fault(plan_table& members) {
  fault result;
  std::string action;
  members.text("action", action);
  members.text("target", result.target);
  members.text("peer", result.peer);
  members.flag("one_way", result.one_way);
  members.texts("messages", result.messages);
  members.duration("from", result.from_ms);
  members.duration("until", result.until_ms);
  members.duration("every", result.every_ms);
  members.duration("lasts", result.lasts_ms);
  members.number("probability", result.probability, 0.0, 1.0);
  members.duration_range("delay", result.delay_ms_min, result.delay_ms_max);
  members.number("factor", result.factor, 1.0, factor_max);
  members.count("skew", result.skew_ms, -std::int64_t{86'400'000}, 86'400'000);
  members.refuse_unknown();
  if (auto known = fault_action_from(action)) {
    result.action = *known;
    check_members(members, *known);
  } else {
    std::string all;
    for (int value = 0; value <= static_cast<int>(last_value(fault_action{})); ++value)
      all += (value == 0 ? "" : ", ") + std::string{to_string(static_cast<fault_action>(value))};
    members.refuse("action", "expected one of " + all);
  }
  if (result.target.empty())
    members.refuse("target", "is empty; \"*\" stands for all");
  if (result.until_ms != 0 && result.until_ms < result.from_ms)
    members.refuse("until", "comes before from");
  return result;
}

workload read_workload(plan_table& members) {
  workload result;
  members.count("jobs", result.jobs, 0, jobs_max);
  members.number("rate", result.rate, 0.001, rate_max);
  members.texts("patterns", result.patterns);
  members.number("cancelled", result.cancelled, 0.0, 1.0);
  members.number("resubmitted", result.resubmitted, 0.0, 1.0);
  members.duration("timeout", result.timeout_ms);
  members.texts("models", result.models);
  members.refuse_unknown();
  if (result.patterns.empty())
    members.refuse("patterns", "names none");
  for (const auto& name : result.patterns)
    if (std::find(pattern_names.begin(), pattern_names.end(), name) == pattern_names.end())
      members.refuse("patterns", "there is no pattern \"" + name + "\"");
  return result;
}

void read_faults(const toml::node& node, scenario& result, std::vector<plan_problem>& problems) {
  const auto* list = node.as_array();
  auto is_table_list = list != nullptr;
  for (std::size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const auto* table = list->get(i)->as_table();
    is_table_list = is_table_list && table != nullptr;
    if (table == nullptr)
      continue;
    plan_table members{*table, "fault " + std::to_string(i + 1) + ": ", problems};
    result.faults.push_back(read_fault(members));
  }
  if (!is_table_list)
    problems.push_back({node.source().begin.line, "fault: expected tables, [[fault]]"});
}

scenario read_all(const toml::table& root, std::vector<plan_problem>& problems) {
  scenario result;
  plan_table members{root, "", problems};
  members.text("name", result.name);
  members.text("description", result.description);
  members.count("seed", result.seed, 0, std::numeric_limits<std::int64_t>::max());
  members.count("nodes", result.nodes, 1, nodes_max);
  members.duration("duration", result.duration_ms);
  members.duration("settle", result.settle_ms);
  if (const auto* node = members.take("workload")) {
    if (const auto* table = node->as_table()) {
      plan_table inner{*table, "workload.", problems};
      result.load = read_workload(inner);
    } else {
      problems.push_back({node->source().begin.line, "workload: expected a table, [workload]"});
    }
  }
  if (const auto* node = members.take("fault"))
    read_faults(*node, result, problems);
  members.refuse_unknown();
  if (result.name.empty())
    members.refuse("name", "a plan needs one");
  return result;
}

}  // namespace

runtime::expected<scenario> read_scenario(std::string_view toml_text) {
  std::vector<plan_problem> problems;
  scenario result;
  try {
    result = read_all(toml::parse(toml_text), problems);
  } catch (const toml::parse_error& error) {
    problems.push_back({error.source().begin.line, std::string{error.description()}});
  }
  if (problems.empty())
    return result;
  std::stable_sort(problems.begin(), problems.end(),
                   [](const auto& left, const auto& right) { return left.line < right.line; });
  std::vector<std::string> details;
  for (const auto& problem : problems)
    details.push_back("line " + std::to_string(problem.line) + ": " + problem.what);
  return runtime::fail(runtime::error_code::bad_input, "the plan can not be used",
                       std::move(details));
}

}  // namespace dim::scenario
