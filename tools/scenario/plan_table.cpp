#include "tools/scenario/plan_table.hpp"

#include <algorithm>
#include <sstream>

#include "config/suggestion.hpp"
#include "tools/scenario/durations.hpp"

namespace dim::scenario {

namespace {

constexpr std::string_view duration_form = "expected a duration such as \"2s\" or \"500ms\"";

std::string kind_of(const toml::node& node) {
  std::ostringstream text;
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "a list";
    case toml::node_type::string:
      return "the text \"" + node.as_string()->get() + "\"";
    case toml::node_type::integer:
      return std::to_string(node.as_integer()->get());
    case toml::node_type::floating_point:
      text << node.as_floating_point()->get();
      return text.str();
    case toml::node_type::boolean:
      return node.as_boolean()->get() ? "true" : "false";
    default:
      return "a date or time";
  }
}

std::string plain(double value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

}  // namespace

const toml::node* plan_table::take(std::string_view key) {
  known_.emplace_back(key);
  return members_.get(key);
}

void plan_table::text(std::string_view key, std::string& target) {
  const auto* node = take(key);
  if (node == nullptr)
    return;
  if (const auto* value = node->as_string())
    target = value->get();
  else
    refuse(key, *node, "expected a text, got " + kind_of(*node));
}

void plan_table::flag(std::string_view key, bool& target) {
  const auto* node = take(key);
  if (node == nullptr)
    return;
  if (const auto* value = node->as_boolean())
    target = value->get();
  else
    refuse(key, *node, "expected true or false, got " + kind_of(*node));
}

void plan_table::number(std::string_view key, double& target, double low, double high) {
  const auto* node = take(key);
  if (node == nullptr)
    return;
  const auto value = node->value<double>();
  if (value && node->is_number() && *value >= low && *value <= high)
    target = *value;
  else
    refuse(
      key, *node,
      "expected a number from " + plain(low) + " to " + plain(high) + ", got " + kind_of(*node));
}

void plan_table::texts(std::string_view key, std::vector<std::string>& target) {
  const auto* node = take(key);
  if (node == nullptr)
    return;
  const auto* list = node->as_array();
  if (list == nullptr)
    return refuse(key, *node, "expected a list of texts, got " + kind_of(*node));
  std::vector<std::string> entries;
  for (const auto& entry : *list) {
    if (const auto* value = entry.as_string())
      entries.push_back(value->get());
    else
      refuse(key, entry, "expected a text, got " + kind_of(entry));
  }
  if (entries.size() == list->size())
    target = std::move(entries);
}

bool plan_table::read_count(std::string_view key, std::int64_t& target, std::int64_t low,
                            std::int64_t high) {
  const auto* node = take(key);
  if (node == nullptr)
    return false;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= low && value->get() <= high) {
    target = value->get();
    return true;
  }
  refuse(key, *node,
         "expected a whole number from " + std::to_string(low) + " to " + std::to_string(high)
           + ", got " + kind_of(*node));
  return false;
}

bool plan_table::read_duration(std::string_view key, std::int64_t& target) {
  const auto* node = take(key);
  return node != nullptr && take_duration(key, *node, target);
}

bool plan_table::take_duration(std::string_view key, const toml::node& node, std::int64_t& target) {
  std::optional<std::int64_t> value;
  if (const auto* text = node.as_string())
    value = duration_from(text->get());
  else if (const auto* whole = node.as_integer(); whole != nullptr && whole->get() >= 0)
    value = duration_from(std::to_string(whole->get()) + "ms");
  if (value)
    target = *value;
  else
    refuse(key, node, std::string{duration_form} + ", got " + kind_of(node));
  return value.has_value();
}

void plan_table::duration_range(std::string_view key, std::int64_t& low, std::int64_t& high) {
  const auto* node = take(key);
  if (node == nullptr)
    return;
  const auto* list = node->as_array();
  if (list == nullptr) {
    if (take_duration(key, *node, low))
      high = low;
    return;
  }
  if (list->size() != 2)
    return refuse(key, *node, "expected the shortest and the longest duration");
  std::int64_t shortest = 0, longest = 0;
  if (!take_duration(key, *list->get(0), shortest) || !take_duration(key, *list->get(1), longest))
    return;
  if (shortest > longest)
    return refuse(key, *node, "the shortest duration is longer than the longest");
  low = shortest;
  high = longest;
}

void plan_table::refuse(std::string_view key, const toml::node& node, std::string what) {
  problems_.push_back(
    {node.source().begin.line, place_ + std::string{key} + ": " + std::move(what)});
}

void plan_table::refuse(std::string_view key, std::string what) {
  const auto* node = members_.get(key);
  refuse(key, node != nullptr ? *node : members_, std::move(what));
}

void plan_table::refuse_unknown() {
  for (auto&& [key, node] : members_) {
    const std::string_view name = key.str();
    if (std::find(known_.begin(), known_.end(), name) == known_.end())
      problems_.push_back({key.source().begin.line, place_ + "unknown member " + std::string{name}
                                                      + config::suggestion(name, known_)});
  }
}

}  // namespace dim::scenario
