#include "tools/dim/console.hpp"

#include <cstdlib>
#include <thread>

#include <sys/ioctl.h>
#include <unistd.h>

namespace dim::tools {

namespace {

std::map<std::string, std::string> read_variables() {
  std::map<std::string, std::string> result;
  for (auto name : {"DIM_URL", "NO_COLOR", "TERM", "COLUMNS"})
    if (const char* text = std::getenv(name))
      result.emplace(name, text);
  return result;
}

std::size_t terminal_width() {
  winsize size{};
  const bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return is_known ? size.ws_col : 80;
}

std::string_view code_of(colour paint) {
  switch (paint) {
    case colour::red:
      return "31";
    case colour::green:
      return "32";
    case colour::yellow:
      return "33";
    case colour::blue:
      return "34";
    case colour::grey:
      return "90";
    case colour::none:
      break;
  }
  return "0";
}

}  // namespace

console process_console() {
  console result;
  result.variables = read_variables();
  result.is_terminal = isatty(STDOUT_FILENO) == 1;
  const auto no_colour = result.variables.find("NO_COLOR");
  const bool is_refused = no_colour != result.variables.end() && !no_colour->second.empty();
  const auto term = result.variables.find("TERM");
  const bool is_dumb = term == result.variables.end() || term->second == "dumb";
  result.has_colour = result.is_terminal && !is_refused && !is_dumb;
  result.width = result.is_terminal ? terminal_width() : 0;
  result.pause = [](std::chrono::milliseconds time) { std::this_thread::sleep_for(time); };
  return result;
}

std::string painted(const console& where, colour paint, std::string_view text) {
  if (!where.has_colour || paint == colour::none)
    return std::string{text};
  return "\x1b[" + std::string{code_of(paint)} + "m" + std::string{text} + "\x1b[0m";
}

colour colour_of(std::string_view state) {
  if (state == "completed" || state == "online" || state == "agreed")
    return colour::green;
  if (state == "failed" || state == "lost" || state == "offline" || state == "disagreed")
    return colour::red;
  if (state == "running" || state == "busy")
    return colour::blue;
  if (state == "suspect" || state == "quarantined" || state == "draining" || state == "joining")
    return colour::yellow;
  return state == "cancelled" ? colour::grey : colour::none;
}

}  // namespace dim::tools
