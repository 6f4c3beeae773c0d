#include "runtime/log_line.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <nlohmann/json.hpp>

namespace dim::runtime {

namespace {

using json = nlohmann::ordered_json;

/// ISO 8601 in UTC, with milliseconds.
std::string timestamp(std::int64_t at_ms) {
  auto seconds = static_cast<std::time_t>(at_ms / 1000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  std::array<char, 32> date{};
  std::array<char, 48> whole{};
  std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(whole.data(), whole.size(), "%s.%03dZ", date.data(),
                static_cast<int>(at_ms % 1000));
  return whole.data();
}

bool needs_quotes(std::string_view text) {
  for (unsigned char c : text)
    if (c <= ' ' || c == '"' || c == '=' || c == '\\' || c >= 0x7f)
      return true;
  return text.empty();
}

/// A line stays one line: control characters are escaped as in JSON.
std::string plain(std::string_view text) {
  auto result = json_string(text);
  return result.substr(1, result.size() - 2);
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string result;
  append_json_string(result, text);
  return result;
}

void append_json_string(std::string& out, std::string_view text) {
  auto is_plain = std::all_of(text.begin(), text.end(), [](char each) {
    return each >= ' ' && each < 0x7f && each != '"' && each != '\\';
  });
  if (is_plain)
    out.append(1, '"').append(text).append(1, '"');
  else
    out += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string json_line(const log_head& head, log_fields fields) {
  json line;
  line["ts"] = timestamp(head.at_ms);
  line["level"] = to_string(head.level);
  line["role"] = head.role;
  line["actor"] = head.actor;
  line["message"] = head.message;
  for (auto& field : fields) {
    if (field.is_number)
      line[std::string{field.key}] = field.number;
    else
      line[std::string{field.key}] = field.text;
  }
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_line(const log_head& head, log_fields fields) {
  auto line = timestamp(head.at_ms);
  line.append(" ").append(to_string(head.level));
  line.append(head.level == log_level::info || head.level == log_level::warn ? "  " : " ");
  line.append(head.role).append(" ").append(plain(head.actor)).append(" ");
  line.append(plain(head.message));
  for (auto& field : fields) {
    line.append(" ").append(field.key).append("=");
    if (field.is_number)
      line.append(std::to_string(field.number));
    else
      line.append(needs_quotes(field.text) ? json_string(field.text) : std::string{field.text});
  }
  return line;
}

}  // namespace dim::runtime
