#include "models/toml_fields.hpp"

#include <utility>

namespace dim::models {

namespace {

std::string at_line(const toml::source_region& region) {
  return "line " + std::to_string(region.begin.line) + ": ";
}

}  // namespace

std::optional<toml::table> parse_toml(std::string_view text, std::vector<std::string>& problems) {
  try {
    return toml::table{toml::parse(text)};
  } catch (const toml::parse_error& error) {
    problems.push_back(at_line(error.source()) + std::string{error.description()});
    return std::nullopt;
  }
}

toml_fields::toml_fields(const toml::table& table, std::string path,
                         std::vector<std::string>& problems)
  : table_(&table), path_(std::move(path)), problems_(&problems) {
}

std::optional<std::string> toml_fields::text(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* value = node->as_string())
    return value->get();
  add_problem(key, "expected a text");
  return std::nullopt;
}

std::string toml_fields::required_text(const std::string& key) {
  if (!has(key)) {
    find(key);
    add_problem(key, "is missing");
    return {};
  }
  auto value = text(key);
  if (value && value->empty())
    add_problem(key, "must not be empty");
  return value.value_or("");
}

std::optional<std::int64_t> toml_fields::integer(const std::string& key, std::int64_t low,
                                                 std::int64_t high) {
  const toml::node* node = find(key);
  if (node == nullptr)
    return std::nullopt;
  const auto* value = node->as_integer();
  if (value != nullptr && value->get() >= low && value->get() <= high)
    return value->get();
  add_problem(key, "expected a whole number from " + std::to_string(low) + " to "
                     + std::to_string(high));
  return std::nullopt;
}

std::optional<bool> toml_fields::flag(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* value = node->as_boolean())
    return value->get();
  add_problem(key, "expected true or false");
  return std::nullopt;
}

std::vector<std::string> toml_fields::texts(const std::string& key) {
  std::vector<std::string> values;
  const toml::node* node = find(key);
  if (node == nullptr)
    return values;
  const auto* array = node->as_array();
  if (array == nullptr) {
    add_problem(key, "expected a list of texts");
    return values;
  }
  for (const toml::node& each : *array) {
    if (const auto* value = each.as_string())
      values.push_back(value->get());
    else {
      add_problem(key, "expected a list of texts");
      return {};
    }
  }
  return values;
}

std::vector<std::int64_t> toml_fields::integers(const std::string& key) {
  std::vector<std::int64_t> values;
  const toml::node* node = find(key);
  if (node == nullptr)
    return values;
  const auto* array = node->as_array();
  if (array == nullptr) {
    add_problem(key, "expected a list of whole numbers");
    return values;
  }
  for (const toml::node& each : *array) {
    if (const auto* value = each.as_integer())
      values.push_back(value->get());
    else {
      add_problem(key, "expected a list of whole numbers");
      return {};
    }
  }
  return values;
}

std::vector<toml_fields> toml_fields::tables(const std::string& key) {
  std::vector<toml_fields> entries;
  const toml::node* node = find(key);
  if (node == nullptr)
    return entries;
  const auto* array = node->as_array();
  if (array == nullptr) {
    add_problem(key, "expected tables, each under [[" + key + "]]");
    return entries;
  }
  for (const toml::node& each : *array) {
    if (const auto* table = each.as_table())
      entries.emplace_back(*table, name_of(key) + "[" + std::to_string(entries.size()) + "]",
                           *problems_);
    else {
      add_problem(key, "expected tables, each under [[" + key + "]]");
      return {};
    }
  }
  return entries;
}

std::optional<toml_fields> toml_fields::table(const std::string& key) {
  const toml::node* node = find(key);
  if (node == nullptr)
    return std::nullopt;
  if (const auto* table = node->as_table())
    return toml_fields(*table, name_of(key), *problems_);
  add_problem(key, "expected a table, under [" + key + "]");
  return std::nullopt;
}

std::vector<std::string> toml_fields::keys() {
  std::vector<std::string> names;
  for (const auto& entry : *table_)
    names.emplace_back(entry.first.str());
  asked_.insert(names.begin(), names.end());
  return names;
}

bool toml_fields::has(const std::string& key) const {
  return table_->contains(key);
}

bool toml_fields::is_list(const std::string& key) const {
  const toml::node* node = table_->get(key);
  return node != nullptr && node->is_array();
}

void toml_fields::add_problem(const std::string& key, const std::string& words) {
  const toml::node* node = table_->get(key);
  const toml::source_region& region = node != nullptr ? node->source() : table_->source();
  problems_->push_back(at_line(region) + name_of(key) + ": " + words);
}

void toml_fields::refuse_unknown_keys() {
  for (const auto& entry : *table_) {
    const std::string key{entry.first.str()};
    if (!asked_.contains(key))
      add_problem(key, "is not known here");
  }
}

const toml::node* toml_fields::find(const std::string& key) {
  asked_.insert(key);
  return table_->get(key);
}

std::string toml_fields::name_of(const std::string& key) const {
  return path_.empty() ? key : path_ + "." + key;
}

}  // namespace dim::models
