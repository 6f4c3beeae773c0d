#pragma once

#include <memory>

#include "gateway/handlers/context.hpp"
#include "gateway/handlers/upload_wish.hpp"

namespace dim::gateway {

/// Takes one part of a model file (`Content-Range: bytes FIRST-LAST/TOTAL`), or answers how much of
/// it has come (`bytes */TOTAL`).
///
/// An upload is what has the same name, version, digest and size, whoever sends it. What has come
/// of a part stays when its connection breaks. Answers 201 with the model's entry when all has come
/// (a question with the configuration finishes an upload, too), 200 when the version was there
/// already, 202 with `Range: bytes=0-LAST` when more is to come, and 409 with that field for a part
/// that does not begin where the upload stands. 409 with `Retry-After` may be otherwise after a
/// question, that is, also where another request has taken the upload over.
///
/// Why 202 and not 308, which others take: in this interface 202 means "taken, not done", and 308
/// makes clients look for another address.
///
/// `slot` is let go at the end.
void start_resumed_upload(const handler_context& context, const exchange_ptr& exchange,
                          upload_wish wish, std::shared_ptr<void> slot);

/// The answer for a version that is in the catalogue now.
http_reply render_uploaded(const actors::model_entry& entry, unsigned status);

}  // namespace dim::gateway
