#include "actors/cluster/quarantine.hpp"

#include <algorithm>
#include <utility>

namespace dim::actors {

using runtime::error_code;

bool tells_of_node(error_code code) noexcept {
  switch (code) {
    case error_code::agent_lost:
    case error_code::agent_timeout:
    case error_code::memory_limit:
    case error_code::corrupt:
    case error_code::store_full:
    case error_code::internal:
      return true;
    default:
      return false;
  }
}

bool had_begun(error_code code) noexcept {
  return code != error_code::overloaded && code != error_code::unavailable;
}

bool note_outcome(quarantine_record& record, const execution_outcome& outcome,
                  const config::registry_options& rules) {
  if (record.active)
    return false;
  if (outcome.code == error_code::none)
    record.failures_in_a_row = 0;
  if (!tells_of_node(outcome.code))
    return false;
  ++record.failures_in_a_row;
  record.model = outcome.model;
  record.version = outcome.version;
  return rules.quarantine_failures > 0 && record.failures_in_a_row >= rules.quarantine_failures;
}

void begin_quarantine(quarantine_record& record, bool by_hand, std::string reason,
                      std::int64_t now_ms) {
  record.active = true;
  record.by_hand = by_hand;
  record.probes_good = 0;
  record.probes_bad = 0;
  record.since = now_ms;
  record.reason = std::move(reason);
}

void end_quarantine(quarantine_record& record) {
  record = {};
}

probe_verdict verdict_of(error_code code) noexcept {
  switch (code) {
    case error_code::none:
    case error_code::bad_input:
      return probe_verdict::good;
    case error_code::not_found:
    case error_code::model_not_found:
    case error_code::bad_model:
      return probe_verdict::none;
    default:
      return probe_verdict::bad;
  }
}

bool note_probe(quarantine_record& record, probe_verdict verdict,
                const config::registry_options& rules) {
  if (verdict == probe_verdict::bad) {
    record.probes_good = 0;
    ++record.probes_bad;
  }
  if (verdict != probe_verdict::good)
    return false;
  record.probes_bad = 0;
  return ++record.probes_good >= rules.quarantine_probes;
}

std::int64_t probe_pause_ms(const quarantine_record& record,
                            const config::registry_options& rules) {
  constexpr std::uint32_t doublings_max = 20;
  auto pause = std::int64_t{rules.quarantine_probe_ms}
               << std::min(record.probes_bad, doublings_max);
  return std::min<std::int64_t>(pause, rules.quarantine_probe_max_ms);
}

std::string refusal_of_quarantine(const quarantine_record& record) {
  return record.reason.empty() ? "is quarantined" : "is quarantined: " + record.reason;
}

}  // namespace dim::actors
