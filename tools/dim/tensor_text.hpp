#pragma once

#include <string>

#include "tools/dim/json_fields.hpp"

namespace dim::tools {

/// "scores FP32 [1,3]  0.1, 0.7, 0.2": the first values of a tensor's JSON, or all when `is_full`.
std::string tensor_text(const json& tensor, bool is_full);

/// A number with at most six significant digits.
std::string tensor_number(const json& x);

}  // namespace dim::tools
