#include <algorithm>

#include "config/draft.hpp"
#include "config/suggestion.hpp"
#include "config/value.hpp"

namespace dim::config {

namespace {

/// Whether the variable names a section, so that it was meant for DIM's options.
bool names_section(const std::string& variable) {
  return std::any_of(sections().begin(), sections().end(), [&](const auto& section) {
    return variable.starts_with(descriptor::variable_of(section.name, ""));
  });
}

std::vector<std::string> variable_names() {
  std::vector<std::string> result;
  for (const auto& option : descriptors())
    result.push_back(option.variable());
  return result;
}

}  // namespace

void draft::apply_text(const descriptor& option, const std::string& text,
                       const std::string& where) {
  origins[option.name()] = where;
  auto x = value_from(option, text);
  if (!x) {
    problems.push_back({where, "expected " + expectation(option) + ", got " + quoted(text)});
    return;
  }
  for (auto& wrong : assign(option, values, *x))
    problems.push_back({where, std::move(wrong.what)});
}

void read_environment(const std::map<std::string, std::string>& variables, draft& target) {
  const auto known = variable_names();
  for (const auto& [name, text] : variables) {
    auto position = std::find(known.begin(), known.end(), name);
    if (position != known.end())
      target.apply_text(descriptors()[position - known.begin()], text, name);
    else if (names_section(name))
      target.problems.push_back({name, "unknown option" + suggestion(name, known)});
  }
}

}  // namespace dim::config
