#include "config/value.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdio>
#include <type_traits>

namespace dim::config {

namespace {

using texts = std::vector<std::string>;

template <class Value>
constexpr bool is_number = std::is_integral_v<Value> && !std::is_same_v<Value, bool>;

std::string range_of(const descriptor& option) {
  return std::to_string(option.low) + " to " + std::to_string(option.high);
}

std::string text_expectation(const descriptor& option) {
  return option.rule ? std::string{option.rule->expected} : "a text";
}

std::optional<std::int64_t> number_from(std::string text) {
  for (std::size_t i = 1; i + 1 < text.size(); ++i)
    if (text[i] == '_' && text[i - 1] != '_' && text[i - 1] != '-' && text[i + 1] != '_')
      text.erase(i, 1);
  std::int64_t number = 0;
  const auto* end = text.data() + text.size();
  auto [last, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || last != end)
    return std::nullopt;
  return number;
}

texts entries_of(const std::string& text) {
  texts result;
  for (std::size_t begin = 0; begin < text.size();) {
    auto comma = std::min(text.find(',', begin), text.size());
    result.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return result;
}

std::vector<value_problem> check_entries(const descriptor& option, const texts& entries) {
  std::vector<value_problem> problems;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (option.rule && !option.rule->fits(entries[i]))
      problems.push_back(
        {i, "expected " + text_expectation(option) + ", got " + quoted(entries[i])});
    else if (std::find(entries.begin(), entries.begin() + i, entries[i]) != entries.begin() + i)
      problems.push_back({i, "expected each entry once, got " + quoted(entries[i]) + " again"});
  }
  auto count = static_cast<std::int64_t>(entries.size());
  if (count < option.low || count > option.high)
    problems.push_back(
      {{}, "expected " + range_of(option) + " entries, got " + std::to_string(count)});
  return problems;
}

/// Checks one value of the right kind.
struct checker {
  const descriptor& option;

  std::vector<value_problem> operator()(bool) const {
    return {};
  }
  std::vector<value_problem> operator()(std::int64_t number) const {
    if (number >= option.low && number <= option.high)
      return {};
    return {{{}, "expected " + expectation(option) + ", got " + std::to_string(number)}};
  }
  std::vector<value_problem> operator()(const std::string& text) const {
    if (!option.rule || option.rule->fits(text))
      return {};
    return {{{}, "expected " + text_expectation(option) + ", got " + quoted(text)}};
  }
  std::vector<value_problem> operator()(const texts& entries) const {
    return check_entries(option, entries);
  }
};

/// The alternative of `value` that a member of type `Member` is set from.
template <class Member>
using source_of = std::conditional_t<is_number<Member>, std::int64_t, Member>;

/// Numbers from 10,000 up with an underscore before each group of three digits.
std::string grouped(std::int64_t number) {
  auto digits = std::to_string(number);
  if (number < 10'000)
    return digits;
  for (std::size_t i = digits.size(); i > 3;)
    digits.insert(i -= 3, "_");
  return digits;
}

std::string list_of(const texts& entries) {
  std::string result = "[";
  for (const auto& entry : entries)
    result += (result.size() > 1 ? ", " : "") + quoted(entry);
  return result + "]";
}

}  // namespace

std::string expectation(const descriptor& option) {
  options defaults;
  return std::visit(
    [&option](auto* member) -> std::string {
      using type = std::remove_pointer_t<decltype(member)>;
      if constexpr (std::is_same_v<type, bool>)
        return "true or false";
      else if constexpr (is_number<type>)
        return "a whole number from " + range_of(option);
      else if constexpr (std::is_same_v<type, std::string>)
        return text_expectation(option);
      else
        return "a list of " + range_of(option) + " texts, each " + text_expectation(option);
    },
    option.locate(defaults));
}

std::optional<value> value_from(const descriptor& option, const std::string& text) {
  options defaults;
  return std::visit(
    [&text](auto* member) -> std::optional<value> {
      using type = std::remove_pointer_t<decltype(member)>;
      if constexpr (std::is_same_v<type, bool>) {
        if (text != "true" && text != "false")
          return std::nullopt;
        return text == "true";
      } else if constexpr (is_number<type>) {
        auto number = number_from(text);
        return number ? std::optional<value>{*number} : std::nullopt;
      } else if constexpr (std::is_same_v<type, std::string>) {
        return text;
      } else {
        return entries_of(text);
      }
    },
    option.locate(defaults));
}

std::vector<value_problem> assign(const descriptor& option, options& target, const value& x) {
  return std::visit(
    [&](auto* member) -> std::vector<value_problem> {
      using type = std::remove_pointer_t<decltype(member)>;
      const auto* source = std::get_if<source_of<type>>(&x);
      if (!source)
        return {{{}, "expected " + expectation(option)}};
      auto problems = checker{option}(*source);
      if (problems.empty())
        *member = static_cast<type>(*source);
      return problems;
    },
    option.locate(target));
}

std::string to_toml(const descriptor& option, const options& source) {
  auto copy = source;
  return std::visit(
    [](const auto* member) -> std::string {
      using type = std::remove_cv_t<std::remove_pointer_t<decltype(member)>>;
      if constexpr (std::is_same_v<type, bool>)
        return *member ? "true" : "false";
      else if constexpr (is_number<type>)
        return grouped(static_cast<std::int64_t>(*member));
      else if constexpr (std::is_same_v<type, std::string>)
        return quoted(*member);
      else
        return list_of(*member);
    },
    option.locate(copy));
}

std::string quoted(std::string_view text) {
  std::string result = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      result += '\\';
      result += c;
    } else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04X", static_cast<unsigned>(c));
      result += escape.data();
    } else {
      result += c;
    }
  }
  return result + "\"";
}

}  // namespace dim::config
