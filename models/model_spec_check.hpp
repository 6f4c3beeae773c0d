#pragma once

#include <string>
#include <vector>

#include "models/model_spec.hpp"

namespace dim::models {

/// Everything that is wrong with a configuration in itself, each in words: names that are twice
/// there, dims, labels, warm-ups that do not fit, tensors that do not fit a built-in kind, an
/// ensemble's maps that lead nowhere. Whoever reads a configuration calls it, whatever the format.
std::vector<std::string> check_model_spec(const model_spec& spec);

}  // namespace dim::models
