#include "config/descriptor.hpp"

#include <algorithm>
#include <cctype>

namespace dim::config {

std::string descriptor::name_of(std::string_view section, std::string_view key) {
  std::string result{section};
  result += '.';
  result += key;
  return result;
}

std::string descriptor::variable_of(std::string_view section, std::string_view key) {
  std::string result = "DIM_";
  result += section;
  result += '_';
  result += key;
  std::transform(result.begin(), result.end(), result.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return result;
}

const descriptor* find_descriptor(std::string_view section, std::string_view key) {
  for (const auto& option : descriptors())
    if (option.section == section && option.key == key)
      return &option;
  return nullptr;
}

}  // namespace dim::config
