#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace dim::config {

/// "; did you mean X?" with the one of `known` that is nearest to `word`; "" when none is near.
std::string suggestion(std::string_view word, const std::vector<std::string>& known);

}  // namespace dim::config
