#pragma once

#include <cstdint>

#include "tools/fault/final_state.hpp"
#include "tools/fault/patient_client.hpp"
#include "tools/fault/recorder.hpp"

namespace dim::tools {

/// Ends all faults, and waits until every acknowledged job has ended, every expected node is a
/// member and nothing waits or runs any more than before. False when this did not come by
/// `give_up_ms`.
bool settle(patient_client& gateway, const first_state& first, const recorder& records,
            run_clock& clock, std::int64_t give_up_ms, bool has_faults);

}  // namespace dim::tools
