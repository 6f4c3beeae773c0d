#include "gateway/json_writer.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace dim::gateway {

namespace {

bool is_plain(std::string_view text) {
  for (unsigned char c : text)
    if (c < 0x20 || c >= 0x7f || c == '"' || c == '\\')
      return false;
  return true;
}

}  // namespace

void json_writer::begin_value() {
  if (needs_comma_)
    text_ += ',';
  needs_comma_ = true;
}

void json_writer::open(char bracket) {
  begin_value();
  text_ += bracket;
  needs_comma_ = false;
}

void json_writer::close(char bracket) {
  text_ += bracket;
  needs_comma_ = true;
}

void json_writer::key(std::string_view name) {
  value(name);
  text_ += ':';
  needs_comma_ = false;
}

void json_writer::value(std::string_view text) {
  begin_value();
  if (is_plain(text)) {
    text_ += '"';
    text_ += text;
    text_ += '"';
    return;
  }
  using nlohmann::json;
  text_ += json(text).dump(-1, ' ', false, json::error_handler_t::replace);
}

void json_writer::value(double number) {
  if (!std::isfinite(number)) {
    null();
    return;
  }
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, number).ptr;
  raw({buffer, static_cast<std::size_t>(end - buffer)});
}

void json_writer::raw(std::string_view text) {
  begin_value();
  text_ += text;
}

void json_writer::member(std::string_view name, const std::vector<std::string>& texts) {
  key(name);
  begin_array();
  for (auto& each : texts)
    value(each);
  end_array();
}

void json_writer::text_or_null(std::string_view name, std::string_view text) {
  key(name);
  if (text.empty())
    null();
  else
    value(text);
}

void json_writer::time_or_null(std::string_view name, std::int64_t milliseconds) {
  key(name);
  if (milliseconds == 0)
    null();
  else
    value(rfc3339(milliseconds));
}

std::string rfc3339(std::int64_t milliseconds) {
  using namespace std::chrono;
  sys_time<std::chrono::milliseconds> moment{std::chrono::milliseconds{milliseconds}};
  auto day = floor<days>(moment);
  year_month_day date{day};
  hh_mm_ss time{moment - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     time.hours().count(), time.minutes().count(), time.seconds().count(),
                     time.subseconds().count());
}

}  // namespace dim::gateway
