#pragma once

#include <string>

namespace dim::tests {

/// The `config.toml` of a model that is uploaded in tests: four FP32 in, two out, up to eight rows.
inline const std::string config_text = R"(max_batch_size = 8

[[inputs]]
name = "x"
datatype = "FP32"
dims = [4]

[[outputs]]
name = "y"
datatype = "FP32"
dims = [2]
)";

}  // namespace dim::tests
