#pragma once

#include "gateway/json_reader.hpp"
#include "models/tensor.hpp"

namespace dim::gateway {

/// Reads an array of tensors, each {"name", "datatype", "shape", "data"} in any order of members.
///
/// Numbers go from the text straight into the tensor's bytes. `data` is flat in row-major order or
/// nested like the shape, and holds exactly as many elements as the shape asks for; it may be
/// left out when that is none. BOOL takes true and false, BYTES takes strings, the integer types
/// take whole numbers in their range, FP32 and FP64 any number that is finite in the type (FP32
/// is rounded once, from the decimal text). FP16 and BF16 can not be sent as JSON. A shape has at
/// most `rank_max` dimensions. Empty names and names given twice are problems.
models::tensor_list read_tensors(json_reader& reader, json_value value, const json_path& path,
                                 std::size_t rank_max);

}  // namespace dim::gateway
