#pragma once

#include <optional>
#include <string_view>

#include "gateway/http_message.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// The name of the header field that tells how long the JSON before binary tensors is.
inline constexpr std::string_view json_length_field = "inference-header-content-length";

/// A request's body taken apart. The views are into it.
struct framed_body {
  std::string_view json;
  /// The tensors behind the JSON, one after the other.
  std::string_view binary;
  /// There is no JSON: `binary` is the one tensor of the model.
  bool is_raw = false;
};

/// Takes the body apart as `Inference-Header-Content-Length` says. Errors: bad_input (not a whole
/// number, or beyond the body).
runtime::expected<framed_body> frame_body(const http_request& request);

}  // namespace dim::gateway
