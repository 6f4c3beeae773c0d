#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "models/model_spec.hpp"

namespace dim::models {

/// Which declared tensor stands in which place of forward's arguments or results: entry k is the
/// index in `declared` of the one in place k. Names such as "INPUT__0" and "INPUT__1" tell the
/// place by their number, when every name does and the numbers are 0, 1, ...; else names that are
/// just the first of `arguments`, in any order, stand where forward has them; else the order is
/// that of the declaration.
std::vector<std::size_t> argument_order(const std::vector<tensor_spec>& declared,
                                        const std::vector<std::string>& arguments);

}  // namespace dim::models
