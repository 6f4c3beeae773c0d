#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/dim/json_fields.hpp"
#include "tools/dim/outcome.hpp"

namespace dim::tools {

/// What `dim bench` asks the model.
struct bench_wish {
  /// "NAME" or "NAME:VERSION".
  std::string model;
  /// For the first dimension of an input, where the model leaves it open.
  std::uint32_t batch = 1;
  /// For any other dimension that is left open.
  std::uint32_t size = 1;
  /// "NAME=2x64": the shape of one input, instead of what the two above make of it.
  std::vector<std::string> shapes = {};
  /// Tensors as bytes behind the JSON, in both directions.
  bool is_binary = false;
  std::uint64_t seed = 1;
};

/// An inference request for a model, ready to be sent many times.
struct bench_request {
  std::string body;
  /// Bytes of `body` that are JSON; the rest are tensors.
  std::size_t json_bytes = 0;
  /// First dimension of the first input, where it is a batch; else 1.
  std::uint64_t rows = 1;
};

/// "/v2/models/NAME[/versions/VERSION]" of a wish, percent-encoded.
std::string model_path(const bench_wish& wish);

/// Makes a request of a model's metadata (`GET` of `model_path`): every input with random values
/// from the seed; whole numbers are 0 to 9, others -1 to 1, texts 16 letters. Errors: usage (no
/// such input, a shape that can not be read, a datatype that JSON can not carry).
outcome<bench_request> make_bench_request(const json& metadata, const bench_wish& wish);

}  // namespace dim::tools
