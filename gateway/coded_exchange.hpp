#pragma once

#include <cstdint>

#include "gateway/router.hpp"

namespace dim::gateway {

/// Lets `handle` see decompressed bodies of at most `body_bytes_max` bytes, and compresses its
/// answers as the client likes them. An unknown `Content-Encoding` is answered 501 with
/// `Accept-Encoding`, a body that is too large when decompressed 413. Requests without a word of
/// compression go to `handle` as they are. For buffered bodies.
request_handler with_content_codings(request_handler handle, std::uint64_t body_bytes_max);

}  // namespace dim::gateway
