#pragma once

#include <string>
#include <utility>

#include <boost/beast/http.hpp>

#include "gateway/http_message.hpp"

namespace dim::gateway {

/// The library's parser of a request whose body is taken piece by piece.
using request_parser = boost::beast::http::request_parser<boost::beast::http::buffer_body>;

/// What a request's header says, or the answer that refuses it.
struct header_outcome {
  http_request request;
  /// Status 0: not refused.
  http_reply refusal;
  bool is_head = false;
  /// The client waits for "100 Continue" before it sends the body.
  bool expects_continue = false;
  /// Where the request ends is not sure enough for another to follow: the connection is closed
  /// after the answer.
  bool is_last = false;
};

/// Reads the header that `parser` holds. Refused are: no or several Host fields in HTTP/1.1, both
/// Content-Length and Transfer-Encoding, a transfer coding but chunked, a malformed target, and an
/// expectation but 100-continue.
header_outcome read_header(const request_parser& parser);

/// Whether a request whose header could not be read to its end is a HEAD. `unread` is what `parser`
/// has not taken of it.
bool is_head_request(const request_parser& parser, std::string_view unread);

/// The answer to bytes that are not a request, or whose header or body breaks the protocol.
http_reply protocol_refusal(const boost::beast::error_code& error);

/// Whether `error` says that what came is not HTTP, as against the connection being gone.
bool is_protocol_error(const boost::beast::error_code& error);

/// Writes the status line and the header fields of `reply` into `text`, which is emptied first.
/// `version` is 10 or 11.
void write_response_head(std::string& text, const http_reply& reply, unsigned version,
                         bool keep_alive);

}  // namespace dim::gateway
