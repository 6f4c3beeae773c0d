#include "gateway/http_message.hpp"

#include <algorithm>

namespace dim::gateway {

namespace {

int hex_value(char digit) {
  if (digit >= '0' && digit <= '9')
    return digit - '0';
  if (digit >= 'a' && digit <= 'f')
    return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F')
    return digit - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      result += ' ';
    } else if (text[i] != '%') {
      result += text[i];
    } else {
      if (i + 2 >= text.size())
        return std::nullopt;
      auto high = hex_value(text[i + 1]);
      auto low = hex_value(text[i + 2]);
      if (high < 0 || low < 0 || (high == 0 && low == 0))
        return std::nullopt;
      result += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return result;
}

/// Cuts `text` at the first `separator`; returns what stood before it.
std::string_view next_part(std::string_view& text, char separator) {
  auto end = text.find(separator);
  auto part = text.substr(0, end);
  text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  return part;
}

bool parse_path(std::string_view path, request_target& result) {
  path.remove_prefix(1);
  while (!path.empty()) {
    auto segment = percent_decode(next_part(path, '/'), false);
    if (!segment)
      return false;
    result.segments.push_back(std::move(*segment));
  }
  return true;
}

/// Any path takes any query, also one that is not in the form of percent signs.
std::string decode_query(std::string_view text) {
  return percent_decode(text, true).value_or(std::string{text});
}

void parse_query(std::string_view query, request_target& result) {
  while (!query.empty()) {
    auto pair = next_part(query, '&');
    if (pair.empty())
      continue;
    auto name = decode_query(next_part(pair, '='));
    result.query.emplace_back(std::move(name), decode_query(pair));
  }
}

/// Whether `text` begins with `scheme`, in capitals or not.
bool has_scheme(std::string_view text, std::string_view scheme) {
  auto is_same = [](char wanted, char each) {
    return each == wanted || (each >= 'A' && each <= 'Z' && each - 'A' + 'a' == wanted);
  };
  return text.size() >= scheme.size()
         && std::equal(scheme.begin(), scheme.end(), text.begin(), is_same);
}

}  // namespace

std::string_view http_request::header(std::string_view name) const {
  auto found = headers.find(name);
  return found == headers.end() ? std::string_view{} : std::string_view{found->second};
}

std::string_view http_request::parameter(std::string_view name) const {
  auto found = parameters.find(name);
  return found == parameters.end() ? std::string_view{} : std::string_view{found->second};
}

std::size_t http_reply::content_length() const noexcept {
  auto size = body.size();
  for (auto& each : tail)
    size += each.size();
  return size;
}

std::optional<request_target> parse_target(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (has_scheme(target, scheme)) {
      auto path = target.find('/', scheme.size());
      target = path == std::string_view::npos ? std::string_view{"/"} : target.substr(path);
    }
  }
  if (target.empty() || target.front() != '/')
    return std::nullopt;
  target = target.substr(0, target.find('#'));
  auto path = next_part(target, '?');
  request_target result;
  if (!parse_path(path, result))
    return std::nullopt;
  parse_query(target, result);
  return result;
}

}  // namespace dim::gateway
