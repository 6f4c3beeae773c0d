#include "gateway/names.hpp"

namespace dim::gateway {

bool is_plain_name(std::string_view name) noexcept {
  if (name.empty() || name.size() > 255 || name == "." || name == "..")
    return false;
  for (unsigned char c : name)
    if (c < 0x20 || c == 0x7f || c == '/' || c == '\\')
      return false;
  return true;
}

}  // namespace dim::gateway
