#pragma once

#include <string_view>

namespace dim::runtime {

/// Whether `name` fits `pattern`, in which `*` stands for any text, also none.
bool fits(std::string_view pattern, std::string_view name) noexcept;

}  // namespace dim::runtime
