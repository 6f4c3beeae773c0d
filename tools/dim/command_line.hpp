#pragma once

#include "tools/dim/console.hpp"

namespace dim::tools {

/// Runs `dim` with this command line: everything but the process. Returns the exit status: 0 done,
/// 1 failed, 2 usage, 3 unreachable. Never throws.
int run_command_line(int argc, const char* const* argv, console& io);

}  // namespace dim::tools
