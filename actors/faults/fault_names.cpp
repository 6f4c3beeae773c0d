#include "actors/faults/fault_names.hpp"

#include <algorithm>

#include "runtime/enum_names.hpp"
#include "runtime/name_pattern.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<11> kind_names{"kill",         "stop",          "drop",      "delay",
                                             "duplicate",    "corrupt",       "partition", "slow",
                                             "wrong_result", "out_of_memory", "fill_disk"};

constexpr std::uint32_t delay_max_ms = 600'000;
constexpr double factor_max = 1'000.0;

bool is_on_messages(fault_kind kind) {
  return kind == fault_kind::drop || kind == fault_kind::delay || kind == fault_kind::duplicate
         || kind == fault_kind::corrupt;
}

bool is_on_forwards(fault_kind kind) {
  return kind == fault_kind::slow || kind == fault_kind::wrong_result
         || kind == fault_kind::out_of_memory;
}

/// What a fault of this kind can be done to; empty when it can be done to the target.
std::string refusal_of(fault_kind kind, target_kind target) {
  if (target == target_kind::actor && kind != fault_kind::kill && !is_on_messages(kind))
    return "can not be done to an actor";
  if (target == target_kind::agent && kind != fault_kind::kill && kind != fault_kind::stop
      && !is_on_forwards(kind))
    return "can not be done to an agent";
  return {};
}

}  // namespace

std::string_view to_string(fault_kind value) noexcept {
  return runtime::name_of(kind_names, value);
}

std::optional<fault_kind> fault_kind_from(std::string_view text) noexcept {
  return runtime::value_named<fault_kind>(kind_names, text);
}

std::vector<std::string> names_of_process(const std::vector<std::string>& roles,
                                          const std::string& name) {
  std::vector<std::string> result;
  for (const auto& role : roles)
    result.push_back(role == "orchestrator" ? role : role + "/" + name);
  std::sort(result.begin(), result.end(), std::greater{});
  return result;
}

fault_target parse_target(const std::string& text) {
  fault_target result;
  const auto slash = text.find('/');
  const auto prefix = slash == text.npos ? std::string{} : text.substr(0, slash);
  if (prefix == "agent" || prefix == "model")
    result.kind = target_kind::agent;
  else if (prefix == "actor")
    result.kind = target_kind::actor;
  if (result.kind == target_kind::process) {
    result.name = text;
    return result;
  }
  const auto at = text.find('@', slash);
  result.name = text.substr(slash + 1, at == text.npos ? at : at - slash - 1);
  if (at != text.npos)
    result.process = text.substr(at + 1);
  return result;
}

bool fits_any(std::string_view pattern, const std::vector<std::string>& names) {
  return std::any_of(names.begin(), names.end(),
                     [pattern](const auto& name) { return runtime::fits(pattern, name); });
}

bool concerns(const fault_target& target, const std::vector<std::string>& names) {
  return fits_any(target.kind == target_kind::process ? target.name : target.process, names);
}

std::vector<std::string> problems_of(const fault_order& order, std::uint64_t lasts_max_ms) {
  std::vector<std::string> found;
  const auto kind = std::string{to_string(order.kind)};
  if (order.target.empty())
    found.push_back("target: is empty; \"*\" stands for all");
  if (auto refusal = refusal_of(order.kind, parse_target(order.target).kind); !refusal.empty())
    found.push_back("target: " + kind + " " + refusal);
  if (order.kind == fault_kind::partition && parse_target(order.peer).kind != target_kind::process)
    found.push_back("peer: names no process");
  if (order.kind != fault_kind::kill && (order.lasts_ms == 0 || order.lasts_ms > lasts_max_ms))
    found.push_back("lasts_ms: expected 1 to " + std::to_string(lasts_max_ms));
  if (!(order.probability >= 0.0 && order.probability <= 1.0))
    found.push_back("probability: expected a number from 0 to 1");
  if (order.delay_min_ms > order.delay_max_ms || order.delay_max_ms > delay_max_ms)
    found.push_back("delay_max_ms: expected delay_min_ms to " + std::to_string(delay_max_ms));
  if (order.kind == fault_kind::delay && order.delay_max_ms == 0)
    found.push_back("delay_max_ms: a delay needs it");
  if (!(order.factor >= 1.0 && order.factor <= factor_max))
    found.push_back("factor: expected a number from 1 to 1000");
  return found;
}

}  // namespace dim::actors
