#pragma once

#include "tests/cluster/local_cluster.hpp"
#include "tools/scenario/history.hpp"

namespace dim::tests {

/// Waits until every job that `seen` has a submission of has ended, and puts a sighting of each
/// end into `seen`. Fails the test when they have not ended after `limit`.
void await_ends(local_cluster& cluster, scenario::history& seen, std::chrono::milliseconds limit);

/// Looks at every job that `seen` has a submission of once more.
void look_again(local_cluster& cluster, scenario::history& seen);

}  // namespace dim::tests
