#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iostream>
#include <map>
#include <string>
#include <string_view>

namespace dim::tools {

/// What a command has of the world around it, so that a test can stand in for it.
struct console {
  std::istream& in = std::cin;
  std::ostream& out = std::cout;
  std::ostream& err = std::cerr;
  /// Whether a person reads `out`.
  bool is_terminal = false;
  /// Whether `out` and `err` may be coloured.
  bool has_colour = false;
  /// Columns of the terminal; 0: no limit.
  std::size_t width = 0;
  std::map<std::string, std::string> variables = {};
  std::function<std::chrono::steady_clock::time_point()> now = std::chrono::steady_clock::now;
  std::function<void(std::chrono::milliseconds)> pause = nullptr;
};

/// The console of this process. Colours only on a terminal, and not with NO_COLOR.
console process_console();

enum class colour { none, red, green, yellow, blue, grey };

/// `text` in a colour, where the console has them.
std::string painted(const console& where, colour paint, std::string_view text);

/// The colour of a job's, execution's or node's state.
colour colour_of(std::string_view state);

}  // namespace dim::tools
