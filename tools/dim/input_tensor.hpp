#pragma once

#include <string>
#include <string_view>

#include "tools/dim/json_fields.hpp"
#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// Makes an entry of a job's `inputs` of the text of `--input`:
///
///     NAME:DATATYPE:SHAPE=VALUES      x:FP32:1x3=0.5,1,2    x:INT64:2x2=[[1,2],[3,4]]
///     NAME:DATATYPE:SHAPE=@FILE.json  the values as a JSON array, nested or flat
///     NAME=@FILE.npy                  a NumPy array, which knows its datatype and shape
///
/// SHAPE is whole numbers between 'x' or ',', also in brackets. A datatype and shape that are given
/// with a NumPy array must be its own. The server checks the rest. Errors: usage.
outcome<json> parse_input(std::string_view text);

}  // namespace dim::tools
