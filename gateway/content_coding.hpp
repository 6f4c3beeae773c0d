#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "gateway/http_message.hpp"
#include "runtime/errors.hpp"

namespace dim::gateway {

/// How a body is compressed: gzip (RFC 1952), deflate (a zlib stream, RFC 1950), or not.
enum class content_coding : std::uint8_t { identity, gzip, deflate };

/// The coding that a `Content-Encoding` field names; empty for one that is not understood, or for
/// several.
std::optional<content_coding> coding_named(std::string_view field);

/// The coding that an `Accept-Encoding` field likes best, by its q-values; of equal ones gzip, then
/// deflate, then none. A coding that is not named is not liked, but for `identity` and under `*`.
content_coding preferred_coding(std::string_view field);

/// Undoes `coding`. Errors: bad_input (not such a stream, or broken off), too_large (more than
/// `bytes_max` bytes come out).
runtime::expected<runtime::bytes> decode_body(content_coding coding, std::string_view body,
                                              std::uint64_t bytes_max);

/// Compresses body and tail of `reply` into its body, and says so in its header.
void encode_reply(content_coding coding, http_reply& reply);

}  // namespace dim::gateway
