#include "tools/dim/json_fields.hpp"

namespace dim::tools {

const json& member_of(const json& x, const std::string& key) {
  static const json nothing;
  if (!x.is_object())
    return nothing;
  const auto found = x.find(key);
  return found == x.end() ? nothing : *found;
}

std::string text_of(const json& x) {
  if (x.is_string())
    return x.get<std::string>();
  if (x.is_boolean())
    return x.get<bool>() ? "yes" : "no";
  if (x.is_null())
    return "";
  return x.dump(-1, ' ', false, json::error_handler_t::replace);
}

std::string text_at(const json& x, const std::string& key) {
  return text_of(member_of(x, key));
}

std::int64_t number_at(const json& x, const std::string& key, std::int64_t otherwise) {
  const auto& found = member_of(x, key);
  return found.is_number() ? found.get<std::int64_t>() : otherwise;
}

std::vector<json> list_at(const json& x, const std::string& key) {
  const auto& found = member_of(x, key);
  if (!found.is_array())
    return {};
  return {found.begin(), found.end()};
}

std::string pretty(const json& x) {
  return x.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

}  // namespace dim::tools
