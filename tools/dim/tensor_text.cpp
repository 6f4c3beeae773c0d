#include "tools/dim/tensor_text.hpp"

#include <array>
#include <cstdio>

namespace dim::tools {

namespace {

constexpr std::size_t values_shown = 12;

/// Appends the values of `data`, nested or flat, until there are `limit`. Returns how many it saw.
std::size_t append_values(const json& data, std::size_t seen, std::size_t limit,
                          std::string& text) {
  if (data.is_array()) {
    for (const auto& x : data)
      seen = append_values(x, seen, limit, text);
    return seen;
  }
  if (seen < limit)
    text += (seen == 0 ? "" : ", ") + tensor_number(data);
  return seen + 1;
}

}  // namespace

std::string tensor_number(const json& x) {
  if (!x.is_number_float())
    return text_of(x);
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6g", x.get<double>());
  return buffer.data();
}

std::string tensor_text(const json& tensor, bool is_full) {
  auto result = text_at(tensor, "name") + " " + text_at(tensor, "datatype") + " "
                + text_at(tensor, "shape") + "  ";
  const auto& data = member_of(tensor, "data");
  if (!data.is_array())
    return result + text_at(tensor, "data_base64") + text_at(tensor, "digest");
  const auto limit = is_full ? static_cast<std::size_t>(-1) : values_shown;
  const auto count = append_values(data, 0, limit, result);
  return count > limit ? result + ", … (" + std::to_string(count) + " values)" : result;
}

}  // namespace dim::tools
