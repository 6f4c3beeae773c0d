#include "tools/fault/target_choice.hpp"

#include <algorithm>

#include "runtime/random_source.hpp"
#include "tools/fault/strike_plan.hpp"

namespace dim::tools {

namespace {

bool names_agent(const std::string& target) {
  return target.starts_with("agent/") || target.starts_with("model/");
}

std::vector<std::string> texts_at(const json& x, const std::string& key) {
  std::vector<std::string> result;
  for (const auto& each : list_at(x, key))
    result.push_back(text_of(each));
  return result;
}

/// The first name of the process that fits.
std::optional<std::string> fitting_name(const live_process& process, const std::string& pattern) {
  for (const auto& name : process.names)
    if (scenario::fits(pattern, name))
      return name;
  return std::nullopt;
}

bool has_agent(const live_process& process, const std::string& pattern) {
  return std::any_of(process.agents.begin(), process.agents.end(), [&](const auto& agent) {
    return scenario::fits(pattern, agent.substr(agent.find('/') + 1));
  });
}

}  // namespace

std::vector<live_process> read_processes(const json& answer) {
  std::vector<live_process> result;
  for (const auto& each : list_at(answer, "processes"))
    result.push_back({texts_at(each, "names"), texts_at(each, "agents")});
  std::sort(result.begin(), result.end(),
            [](const auto& left, const auto& right) { return left.names < right.names; });
  return result;
}

std::optional<std::string> choose_target(const scenario::fault& fault,
                                         const std::vector<live_process>& processes,
                                         std::uint64_t seed) {
  if (is_held(fault.action) || fault.action == scenario::fault_action::fill_disk)
    return fault.target;
  const auto& target = fault.target;
  const auto is_inside = names_agent(target) || target.starts_with("actor/");
  const auto at = is_inside ? target.find('@') : target.npos;
  const auto inside = is_inside ? target.substr(0, at) : std::string{};
  const auto pattern = !is_inside ? target : at == target.npos ? "*" : target.substr(at + 1);
  std::vector<std::string> found;
  for (const auto& process : processes) {
    const auto name = fitting_name(process, pattern);
    if (!name || (names_agent(target) && !has_agent(process, inside.substr(inside.find('/') + 1))))
      continue;
    found.push_back(is_inside ? inside + "@" + *name : *name);
  }
  if (found.empty())
    return std::nullopt;
  return found[runtime::random_source{seed}.below(found.size())];
}

}  // namespace dim::tools
