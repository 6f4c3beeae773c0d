#include "tools/dim/fields_text.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

using line = std::pair<std::string, std::string>;

bool is_flat(const json& list) {
  return std::none_of(list.begin(), list.end(), [](const json& x) { return x.is_structured(); });
}

std::string joined(const json& list) {
  std::string result;
  for (const auto& x : list)
    result += (result.empty() ? "" : ", ") + text_of(x);
  return result;
}

std::string value_text(const std::string& name, const json& x) {
  if (name.ends_with("_bytes") || name.ends_with("byte_size"))
    if (x.is_number_unsigned())
      return size_text(x.get<std::uint64_t>());
  if (x.is_string())
    return time_text(x.get<std::string>());
  return text_of(x);
}

void collect(const std::string& path, const json& x, std::vector<line>& lines) {
  if (x.is_object()) {
    for (const auto& [key, value] : x.items())
      collect(path.empty() ? key : path + "." + key, value, lines);
  } else if (x.is_array() && !is_flat(x)) {
    for (std::size_t i = 0; i < x.size(); ++i)
      collect(path + "[" + std::to_string(i) + "]", x[i], lines);
  } else {
    auto text = x.is_array() ? joined(x) : value_text(path, x);
    if (!text.empty())
      lines.emplace_back(cleaned(path), cleaned(text));
  }
}

}  // namespace

void print_fields(console& io, const json& object) {
  std::vector<line> lines;
  collect("", object, lines);
  std::size_t width = 0;
  for (const auto& [name, value] : lines)
    width = std::max(width, columns_of(name));
  for (const auto& [name, value] : lines)
    io.out << painted(io, colour::grey, name) << std::string(width - columns_of(name) + 2, ' ')
           << value << '\n';
}

}  // namespace dim::tools
