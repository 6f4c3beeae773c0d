#include <algorithm>
#include <cerrno>
#include <fstream>
#include <sstream>
#include <system_error>
#include <tuple>

#include <toml++/toml.h>

#include "config/draft.hpp"
#include "config/suggestion.hpp"
#include "config/value.hpp"

namespace dim::config {

namespace {

std::string kind_of(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a section";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "the text " + quoted(node.as_string()->get());
    case toml::node_type::integer:
      return "the number " + std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    default:
      return "a date or time";
  }
}

std::vector<std::string> section_names() {
  std::vector<std::string> result;
  for (const auto& section : sections())
    result.emplace_back(section.name);
  return result;
}

std::vector<std::string> keys_of(std::string_view section) {
  std::vector<std::string> result;
  for (const auto& option : descriptors())
    if (option.section == section)
      result.emplace_back(option.key);
  return result;
}

/// Lays one parsed file over a draft, and keeps its problems in the order of the file.
class file_reader {
public:
  file_reader(std::string name, draft& target) : name_(std::move(name)), target_(target) {
  }

  void read(const toml::table& root) {
    for (auto&& [key, node] : root)
      read_section(key, node);
    std::stable_sort(found_.begin(), found_.end(),
                     [](const auto& x, const auto& y) { return x.position() < y.position(); });
    for (auto& x : found_)
      target_.problems.push_back({where(x.line, x.column), std::move(x.what)});
  }

  std::string where(toml::source_index line, toml::source_index column) const {
    return name_ + ":" + std::to_string(line) + ":" + std::to_string(column);
  }

private:
  struct finding {
    toml::source_index line;
    toml::source_index column;
    std::string what;

    auto position() const {
      return std::tie(line, column);
    }
  };

  void read_section(const toml::key& key, const toml::node& node) {
    const std::string_view name = key.str();
    const auto known = section_names();
    if (std::find(known.begin(), known.end(), name) == known.end())
      add(key.source(), "unknown section " + std::string{name} + suggestion(name, known));
    else if (const auto* table = node.as_table())
      for (auto&& [option_key, value] : *table)
        read_option(name, option_key, value);
    else
      add(node.source(), "expected the section [" + std::string{name} + "], got " + kind_of(node));
  }

  void read_option(std::string_view section, const toml::key& key, const toml::node& node) {
    const auto* option = find_descriptor(section, key.str());
    if (!option)
      return add(key.source(), "unknown option " + descriptor::name_of(section, key.str())
                                 + suggestion(key.str(), keys_of(section)));
    target_.origins[option->name()] = where(node.source().begin.line, node.source().begin.column);
    if (auto x = value_of(*option, node))
      for (auto& wrong : assign(*option, target_.values, *x))
        add(wrong.entry ? node.as_array()->get(*wrong.entry)->source() : node.source(),
            option->name() + ": " + wrong.what);
  }

  /// The node's value when it is of the option's kind; else what is wrong is noted.
  std::optional<value> value_of(const descriptor& option, const toml::node& node) {
    options defaults;
    const auto member = option.locate(defaults);
    if (const auto* list = node.as_array(); list && holds<std::vector<std::string>>(member))
      return list_of(option, *list);
    if (const auto* text = node.as_string(); text && holds<std::string>(member))
      return text->get();
    if (const auto* flag = node.as_boolean(); flag && holds<bool>(member))
      return flag->get();
    const bool is_number = !holds<std::vector<std::string>>(member) && !holds<std::string>(member)
                           && !holds<bool>(member);
    if (const auto* number = node.as_integer(); number && is_number)
      return number->get();
    add(node.source(), wrong_kind(option, node));
    return std::nullopt;
  }

  std::optional<value> list_of(const descriptor& option, const toml::array& list) {
    std::vector<std::string> entries;
    for (const auto& entry : list) {
      if (const auto* text = entry.as_string())
        entries.push_back(text->get());
      else
        add(entry.source(), wrong_kind(option, entry));
    }
    if (entries.size() != list.size())
      return std::nullopt;
    return entries;
  }

  static std::string wrong_kind(const descriptor& option, const toml::node& node) {
    return option.name() + ": expected " + expectation(option) + ", got " + kind_of(node);
  }

  template <class Member>
  static bool holds(const slot& member) {
    return std::holds_alternative<Member*>(member);
  }

  void add(const toml::source_region& region, std::string what) {
    found_.push_back({region.begin.line, region.begin.column, std::move(what)});
  }

  std::string name_;
  draft& target_;
  std::vector<finding> found_;
};

}  // namespace

void read_text(std::string_view text, const std::string& name, draft& target) {
  file_reader reader{name, target};
  try {
    reader.read(toml::parse(text, name));
  } catch (const toml::parse_error& error) {
    const auto at = error.source().begin;
    target.problems.push_back({reader.where(at.line, at.column), std::string{error.description()}});
  }
}

void read_file(const std::string& path, draft& target) {
  errno = 0;
  std::ifstream file{path, std::ios::binary};
  std::ostringstream text;
  if (file && file.peek() != std::ifstream::traits_type::eof())
    text << file.rdbuf();
  if (errno != 0 || !file.is_open()) {
    const auto reason = std::generic_category().message(errno);
    target.problems.push_back({path, "expected a readable file: " + reason});
    return;
  }
  read_text(text.str(), path, target);
}

}  // namespace dim::config
