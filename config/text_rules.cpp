#include "config/text_rules.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>

#include <arpa/inet.h>

namespace dim::config {

namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), text) != words.end();
}

std::optional<unsigned> number_in(std::string_view text) {
  unsigned value = 0;
  const auto* end = text.data() + text.size();
  auto [last, error] = std::from_chars(text.data(), end, value);
  if (text.empty() || error != std::errc{} || last != end)
    return std::nullopt;
  return value;
}

bool is_role(std::string_view text) {
  return is_one_of(text, {"orchestrator", "gateway", "node"});
}

bool is_cluster_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_letter_or_digit(text.front())
         && std::all_of(text.begin(), text.end(),
                        [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

bool is_not_empty(std::string_view text) {
  return !text.empty() && text.find('\0') == text.npos;
}

bool is_interface(std::string_view text) {
  std::array<unsigned char, sizeof(in6_addr)> address{};
  const std::string copy{text};
  return text == "localhost" || inet_pton(AF_INET, copy.c_str(), address.data()) == 1
         || inet_pton(AF_INET6, copy.c_str(), address.data()) == 1;
}

bool is_host(std::string_view text) {
  if (text.size() > 2 && text.front() == '[' && text.back() == ']')
    return is_interface(text.substr(1, text.size() - 2));
  return !text.empty() && text.size() <= 253
         && std::all_of(text.begin(), text.end(),
                        [](char c) { return is_letter_or_digit(c) || c == '-' || c == '.'; });
}

bool is_address(std::string_view text) {
  auto colon = text.rfind(':');
  if (colon == text.npos || !is_host(text.substr(0, colon)))
    return false;
  auto port = number_in(text.substr(colon + 1));
  return port && *port >= 1 && *port <= 65'535;
}

bool is_label(std::string_view text) {
  return text.size() <= 255 && std::none_of(text.begin(), text.end(), [](char c) {
           return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
         });
}

bool is_optional_uuid(std::string_view text) {
  if (text.empty())
    return true;
  if (text.size() != 36)
    return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_dash = i == 8 || i == 13 || i == 18 || i == 23;
    const bool is_hex = is_digit(text[i]) || (text[i] >= 'a' && text[i] <= 'f');
    if (is_dash ? text[i] != '-' : !is_hex)
      return false;
  }
  return true;
}

bool is_device(std::string_view text) {
  if (text.starts_with("cuda:"))
    return number_in(text.substr(5)).has_value();
  if (!text.starts_with("cpu:"))
    return false;
  text.remove_prefix(4);
  auto dash = text.find('-');
  auto first = number_in(text.substr(0, dash));
  auto last = dash == text.npos ? first : number_in(text.substr(dash + 1));
  return first && last && *first <= *last;
}

bool is_isolation(std::string_view text) {
  return is_one_of(text, {"process", "thread"});
}

bool is_transport(std::string_view text) {
  return is_one_of(text, {"shared_memory", "socket"});
}

bool is_control(std::string_view text) {
  return is_one_of(text, {"all", "explicit"});
}

bool is_log_level(std::string_view text) {
  return is_one_of(text, {"trace", "debug", "info", "warn", "error", "off"});
}

bool is_log_format(std::string_view text) {
  return is_one_of(text, {"json", "text"});
}

bool is_balance(std::string_view text) {
  return is_one_of(text,
                   {"least_outstanding", "round_robin", "weighted", "random", "power_of_two"});
}

bool is_restriction(std::string_view text) {
  auto colon = text.find(": ");
  auto equal = text.find('=', colon == text.npos ? 0 : colon);
  if (colon == text.npos || equal == text.npos)
    return false;
  auto group = text.substr(0, colon);
  auto header = text.substr(colon + 2, equal - colon - 2);
  auto is_token = !header.empty() && std::all_of(header.begin(), header.end(), [](char c) {
    return is_letter_or_digit(c) || c == '-' || c == '_';
  });
  return is_token && equal + 1 < text.size()
         && is_one_of(group, {"health", "metadata", "inference", "shared-memory", "model-config",
                              "model-repository", "statistics", "trace", "logging"});
}

}  // namespace

bool is_loopback(std::string_view text) {
  return is_interface(text) && (text == "localhost" || text == "::1" || text.starts_with("127."));
}

const text_rule role_rule{is_role, R"("orchestrator", "gateway" or "node")"};
const text_rule cluster_name_rule{
  is_cluster_name, "1 to 64 letters, digits, '-' or '_', first a letter or digit"};
const text_rule not_empty_rule{is_not_empty, "a text that is not empty"};
const text_rule interface_rule{is_interface, R"(a numeric IP address or "localhost")"};
const text_rule address_rule{is_address, R"("host:port" or "[address]:port")"};
const text_rule label_rule{is_label, "at most 255 characters, no control characters"};
const text_rule optional_uuid_rule{is_optional_uuid, "a UUID in lower case, or nothing"};
const text_rule device_rule{is_device, R"("cuda:N", "cpu:N" or "cpu:FIRST-LAST")"};
const text_rule isolation_rule{is_isolation, R"("process" or "thread")"};
const text_rule transport_rule{is_transport, R"("shared_memory" or "socket")"};
const text_rule control_rule{is_control, R"("all" or "explicit")"};
const text_rule log_level_rule{
  is_log_level, R"("trace", "debug", "info", "warn", "error" or "off")"};
const text_rule log_format_rule{is_log_format, R"("json" or "text")"};
const text_rule balance_rule{
  is_balance,
  R"("least_outstanding", "round_robin", "weighted", "random" or "power_of_two")"};
const text_rule restriction_rule{is_restriction,
                                 R"("group: header=value" with a group of the protocol)"};

}  // namespace dim::config
