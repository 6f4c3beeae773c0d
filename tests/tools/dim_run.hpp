#pragma once

#include <chrono>
#include <sstream>
#include <string>
#include <vector>

#include "tools/dim/command_line.hpp"

namespace dim::tests {

/// One run of the command line `dim`, with what it printed. Pauses take no time: they move a clock.
struct dim_run {
  explicit dim_run(std::vector<std::string> arguments, std::string url = "", std::string input = "",
                   std::size_t terminal_width = 0)
    : in(std::move(input)) {
    tools::console io{in, out, err};
    io.is_terminal = terminal_width > 0;
    io.width = terminal_width;
    if (!url.empty())
      io.variables["DIM_URL"] = url;
    auto clock = std::chrono::steady_clock::time_point{};
    io.now = [&clock] { return clock; };
    io.pause = [&clock, this](std::chrono::milliseconds time) {
      clock += time;
      pauses.push_back(time.count());
    };
    std::vector<const char*> argv{"dim"};
    for (const auto& each : arguments)
      argv.push_back(each.c_str());
    status = tools::run_command_line(static_cast<int>(argv.size()), argv.data(), io);
  }

  std::istringstream in;
  std::ostringstream out;
  std::ostringstream err;
  std::vector<std::int64_t> pauses;
  int status = -1;
};

}  // namespace dim::tests
