#pragma once

#include <vector>

#include "tools/sample_models/classifiers.hpp"

/// Models that are there to be served, not to be right.
namespace dim::tools {

/// The built-in models that the example programs of the protocol's clients ask for: `simple` adds
/// and subtracts INT32 [rows, 16], `simple_string` does so with numbers as text, and
/// `simple_identity` repeats BYTES [rows, any]. They have no file.
std::vector<models::model_spec> make_protocol_models();

/// Untrained models for measuring, all FP32: `bench-mlp-large` (1024-4096-4096-10, 84 MB),
/// `bench-cnn` (images of 3 x 64 x 64, about 10 ms a forward on one core) and `bench-mean` (a
/// mebibyte a row, and one number out). The small one is `digits-mlp`.
std::vector<sample_model> make_bench_models();

}  // namespace dim::tools
