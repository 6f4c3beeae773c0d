#pragma once

#include <chrono>
#include <cstddef>

namespace dim::tests {

/// Kills `kills` random processes of a cluster under load, starts them again, and checks every
/// promise over what the clients saw, the records and the event log. After the last kill, all that
/// was acknowledged must end within `settle_limit`.
///
/// DIM_TEST_SEED plays the same choices again (what they meet is up to the machine).
void survive(std::size_t kills, std::chrono::milliseconds settle_limit);

}  // namespace dim::tests
