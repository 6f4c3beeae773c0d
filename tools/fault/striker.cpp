#include "tools/fault/striker.hpp"

#include "tools/fault/target_choice.hpp"
#include "tools/scenario/durations.hpp"

namespace dim::tools {

namespace {

/// A strike that can not be told to anybody is tried again for this long.
constexpr std::int64_t patience_ms = 5'000;
constexpr std::int64_t retry_pause_ms = 200;

std::string words_for(const scenario::fault& fault) {
  return std::string{to_string(fault.action)} + " " + fault.target;
}

}  // namespace

void striker::run() {
  for (const auto& next : strikes_of(plan_)) {
    if (!clock_.wait_until(next.at_ms))
      return;
    while (!perform(next)) {
      if (clock_.now_ms() > next.at_ms + patience_ms || !clock_.wait_for(retry_pause_ms))
        break;
    }
  }
  for (std::size_t index = 0; index < plan_.faults.size(); ++index)
    if (!struck_.contains(index))
      records_.note_problem("fault " + std::to_string(index + 1) + ", "
                            + words_for(plan_.faults[index]) + ", never found its target");
}

bool striker::perform(const strike& next) {
  const auto& fault = plan_.faults[next.fault];
  const auto list = client_.get("/api/v1/faults");
  if (!list.is_good())
    return false;
  const auto target = choose_target(fault, read_processes(list.body), next.seed);
  if (!target)
    return false;
  if (fault.action == scenario::fault_action::kill)
    tell_.expect_end(*target, next.lasts_ms);
  const auto reply = client_.post("/api/v1/faults", order_of(next, *target));
  // Who was to be killed may be gone before it could answer.
  const auto is_told = reply.is_good() || (reply.status == 0 && *target == "orchestrator");
  if (is_told)
    note_success(next, *target, reply.body);
  else if (reply.status == 400 || reply.status == 403)
    records_.note_problem(words_for(fault) + " was refused: " + reply.problem);
  return is_told || reply.status == 400;
}

std::string striker::order_of(const strike& next, const std::string& target) const {
  const auto& fault = plan_.faults[next.fault];
  // JSON can not say all numbers of 64 bits.
  json order{{"action", to_string(fault.action)},
             {"target", target},
             {"seed", next.seed >> 2},
             {"probability", fault.probability}};
  if (next.lasts_ms > 0 && fault.action != scenario::fault_action::kill)
    order["lasts_ms"] = next.lasts_ms;
  if (!fault.peer.empty())
    order["peer"] = fault.peer;
  if (fault.one_way)
    order["one_way"] = true;
  if (!fault.messages.empty())
    order["messages"] = fault.messages;
  if (fault.action == scenario::fault_action::delay) {
    order["delay_min_ms"] = fault.delay_ms_min;
    order["delay_max_ms"] = fault.delay_ms_max;
  }
  if (fault.action == scenario::fault_action::slow)
    order["factor"] = fault.factor;
  return order.dump();
}

void striker::note_success(const strike& next, const std::string& target, const json& answer) {
  const auto& fault = plan_.faults[next.fault];
  const auto is_first = struck_.insert(next.fault).second;
  // The watcher counts what a fault that holds has hit.
  if (!is_held(fault.action))
    records_.note_fault(std::string{to_string(fault.action)});
  if (is_held(fault.action) && !is_first)
    return;
  const auto struck = list_at(answer, "struck");
  auto line = std::string{to_string(fault.action)} + " "
              + (struck.size() == 1 ? text_of(struck.front()) : target);
  if (!fault.peer.empty())
    line += " from " + fault.peer;
  if (next.lasts_ms > 0 && !is_held(fault.action))
    line += ", " + scenario::duration_text(next.lasts_ms);
  tell_.tell(line);
}

}  // namespace dim::tools
