#include "gateway/router.hpp"

#include <set>

#include "gateway/http_status.hpp"

namespace dim::gateway {

namespace {

using segments = std::vector<std::string>;

bool is_variable(const std::string& segment) {
  return segment.size() > 2 && segment.front() == '{' && segment.back() == '}';
}

bool fits(const segments& pattern, const segments& path) {
  if (pattern.size() != path.size())
    return false;
  for (std::size_t i = 0; i < path.size(); ++i)
    if (is_variable(pattern[i]) ? path[i].empty() : pattern[i] != path[i])
      return false;
  return true;
}

/// Whether `left` is the closer match: it has a literal where `right` has a variable first.
bool is_closer(const segments& left, const segments& right) {
  for (std::size_t i = 0; i < left.size(); ++i)
    if (is_variable(left[i]) != is_variable(right[i]))
      return !is_variable(left[i]);
  return false;
}

http_reply method_refusal(std::set<std::string> allowed) {
  if (allowed.contains("GET"))
    allowed.insert("HEAD");
  std::string list;
  for (auto& method : allowed)
    list += (list.empty() ? "" : ", ") + method;
  auto answer = failure_reply(
    {runtime::error_code::bad_input, "this path does not take this method; it takes: " + list, {}},
    405);
  answer.headers.emplace_back("Allow", list);
  return answer;
}

}  // namespace

void router::add(route entry) {
  patterns_.push_back(parse_target(entry.pattern).value_or(request_target{}).segments);
  entry.meter = std::make_shared<request_meter>(entry.method, entry.pattern);
  routes_.push_back(std::move(entry));
}

void router::add_filter(request_filter filter) {
  filters_.push_back(std::move(filter));
}

router::result router::match(http_request& request) const {
  const segments* closest = nullptr;
  std::set<std::string> allowed;
  result outcome;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    auto& pattern = patterns_[i];
    if (!fits(pattern, request.segments))
      continue;
    if (closest != nullptr && is_closer(*closest, pattern))
      continue;
    if (closest != nullptr && is_closer(pattern, *closest)) {
      allowed.clear();
      outcome.found = nullptr;
    }
    closest = &pattern;
    allowed.insert(routes_[i].method);
    if (routes_[i].method == request.method)
      outcome.found = &routes_[i];
  }
  if (closest == nullptr) {
    outcome.refusal = failure_reply({runtime::error_code::not_found, "no such path", {}});
    return outcome;
  }
  if (outcome.found == nullptr) {
    outcome.refusal = method_refusal(allowed);
    return outcome;
  }
  for (std::size_t i = 0; i < closest->size(); ++i)
    if (auto& part = (*closest)[i]; is_variable(part))
      request.parameters[part.substr(1, part.size() - 2)] = request.segments[i];
  for (auto& filter : filters_) {
    if (auto refusal = filter(request, *outcome.found)) {
      outcome.found = nullptr;
      outcome.refusal = std::move(*refusal);
      return outcome;
    }
  }
  return outcome;
}

std::optional<http_reply> refuse_foreign_origin(const http_request& request, const route&) {
  auto origin = request.header("origin");
  if (origin.empty())
    return std::nullopt;
  auto scheme = origin.find("://");
  auto site = scheme == std::string_view::npos ? origin : origin.substr(scheme + 3);
  if (site == request.header("host"))
    return std::nullopt;
  return failure_reply(
    {runtime::error_code::forbidden, "requests from other web sites are refused", {}});
}

}  // namespace dim::gateway
