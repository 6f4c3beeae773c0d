#include "tools/fault/settling.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t pause_ms = 200;

bool are_members(patient_client& gateway, const first_state& first) {
  const auto nodes = gateway.get("/api/v1/nodes");
  std::size_t count = 0;
  for (const auto& each : list_at(nodes.body, "nodes")) {
    const auto state = text_at(each, "state");
    const auto is_member = state == "online" || state == "busy" || state == "quarantined";
    count += is_member && first.members.contains(text_at(each, "id")) ? 1 : 0;
  }
  return count == first.members.size();
}

bool is_quiet(patient_client& gateway, const first_state& first) {
  const auto status = gateway.get("/api/v1/status");
  const auto& executions = member_of(status.body, "executions");
  return status.is_good() && number_at(executions, "waiting") <= first.waiting
         && number_at(executions, "running") <= first.running;
}

}  // namespace

bool settle(patient_client& gateway, const first_state& first, const recorder& records,
            run_clock& clock, std::int64_t give_up_ms, bool has_faults) {
  auto are_cleared = !has_faults;
  while (clock.now_ms() < give_up_ms) {
    are_cleared = are_cleared || gateway.remove("/api/v1/faults").is_good();
    if (are_cleared && records.open_jobs().empty() && are_members(gateway, first)
        && is_quiet(gateway, first))
      return true;
    if (!clock.wait_for(pause_ms))
      return false;
  }
  return false;
}

}  // namespace dim::tools
