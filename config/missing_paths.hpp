#pragma once

#include <string>
#include <vector>

#include "config/options.hpp"

namespace dim::config {

/// What options name that is not on this machine, each in words: the agent's program, the folder of
/// the cabinets (unless it is the one in `data_dir`, which may be missing), and the folder of the
/// record file. Only what the roles of `x` use; `x` is resolved, and its data folder is there.
std::vector<std::string> missing_paths(const options& x);

}  // namespace dim::config
