#pragma once

#include <optional>
#include <string>

#include "actors/store/model_messages.hpp"
#include "gateway/content_range.hpp"
#include "gateway/http_message.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// What a request says of the model that it uploads.
struct upload_wish {
  /// As it will end the upload; without its id. The digest is empty where the client sent none, the
  /// configuration where it only asks.
  actors::finish_upload message;
  /// Which part of the file the body is; empty: the body is the file.
  std::optional<content_range> range;
};

/// Name and version from the path or the query, `X-Dim-Model-Config`, `Digest` and
/// `Content-Range`. Errors: bad_input with each problem.
runtime::expected<upload_wish> read_upload_wish(const http_request& request);

/// 128 random bits in hex.
std::string random_upload_id();

}  // namespace dim::gateway
