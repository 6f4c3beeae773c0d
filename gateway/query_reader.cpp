#include "gateway/query_reader.hpp"

#include <charconv>

namespace dim::gateway {

std::string query_reader::text(std::string_view name) {
  known_.emplace(name);
  std::string result;
  bool is_given = false;
  for (auto& [key, value] : request_.query) {
    if (key != name)
      continue;
    if (is_given)
      refuse(name, "given twice");
    is_given = true;
    result = value;
  }
  return result;
}

std::uint64_t query_reader::whole(std::string_view name, std::uint64_t min, std::uint64_t max,
                                  std::uint64_t otherwise) {
  auto value = text(name);
  if (value.empty())
    return otherwise;
  std::uint64_t number = 0;
  auto end = value.data() + value.size();
  auto [stopped, error] = std::from_chars(value.data(), end, number);
  if (error == std::errc{} && stopped == end && number >= min && number <= max)
    return number;
  problems_.add_mismatch(
    json_path{}.member(name),
    "a whole number from " + std::to_string(min) + " to " + std::to_string(max), in_quotes(value));
  return otherwise;
}

void query_reader::refuse(std::string_view name, std::string_view what) {
  problems_.add(json_path{}.member(name), what);
}

runtime::expected<void> query_reader::finish() {
  for (auto& [key, value] : request_.query)
    if (!known_.contains(key))
      refuse(key, "unknown parameter");
  if (problems_.empty())
    return {};
  return runtime::fail(runtime::error_code::bad_input, "the query has problems", problems_.take());
}

}  // namespace dim::gateway
