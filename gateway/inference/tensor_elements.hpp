#pragma once

#include <cstdint>
#include <vector>

#include <simdjson.h>

#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// Reads the `data` of a tensor straight into its bytes: an array, flat in row-major order, nested
/// like `shape`, or nested down to some level and flat below. `count` is what `shape` multiplies
/// to, `text_size` the length of the whole JSON text, which bounds what can be in it. FP16 and BF16
/// have no form in JSON. Stops at the first problem: bad_input.
runtime::expected<std::vector<char>> read_elements(simdjson::ondemand::value data,
                                                   models::datatype type,
                                                   const std::vector<std::int64_t>& shape,
                                                   std::uint64_t count, std::size_t text_size);

}  // namespace dim::gateway
