#include "config/print.hpp"

#include "config/descriptor.hpp"
#include "config/value.hpp"

namespace dim::config {

namespace {

constexpr std::size_t width = 100;

constexpr std::string_view head
  = "Every option of dimd, with its default. A file needs only what it changes. Each option is "
    "also an environment variable, which goes before the file, and a flag, which goes before both: "
    "[gateway] port is DIM_GATEWAY_PORT and --gateway.port. In a variable or flag the entries of a "
    "list are separated by commas.";

/// `text` as comment lines of at most `width` characters.
std::string comment(std::string_view text) {
  std::string result;
  std::string line = "#";
  while (!text.empty()) {
    auto word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(word.size() + 1, text.size()));
    if (line.size() + 1 + word.size() > width) {
      result += line + "\n";
      line = "#";
    }
    line += ' ';
    line += word;
  }
  return result + line + "\n";
}

std::string facts_of(const descriptor& option) {
  auto result = "Expected: " + expectation(option);
  if (!option.unit.empty())
    result += " (" + std::string{option.unit} + ")";
  return result + ". Default: " + to_toml(option, options{});
}

}  // namespace

std::string print(const options& x) {
  auto result = comment(head);
  for (const auto& section : sections()) {
    result += "\n" + comment(section.meaning) + "[" + std::string{section.name} + "]\n";
    for (const auto& option : descriptors()) {
      if (option.section != section.name)
        continue;
      result += "\n" + comment(option.meaning) + comment(facts_of(option));
      result += std::string{option.key} + " = " + to_toml(option, x) + "\n";
    }
  }
  return result;
}

}  // namespace dim::config
