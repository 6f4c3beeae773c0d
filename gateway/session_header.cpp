#include "gateway/session_header.hpp"

#include <ctime>

#include <fmt/chrono.h>

#include "gateway/http_status.hpp"

namespace dim::gateway {

namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using runtime::error_code;

std::string lower_case(beast::string_view text) {
  std::string result{text.data(), text.size()};
  for (auto& c : result)
    if (c >= 'A' && c <= 'Z')
      c = static_cast<char>(c - 'A' + 'a');
  return result;
}

void copy_fields(const request_parser& parser, http_request& request) {
  for (auto& field : parser.get()) {
    std::string value{field.value().data(), field.value().size()};
    auto [entry, is_new] = request.headers.emplace(lower_case(field.name_string()), value);
    if (!is_new)
      entry->second += ", " + value;
  }
}

http_reply bad_request(std::string what, unsigned status = 400) {
  return failure_reply({error_code::bad_input, std::move(what), {}}, status);
}

/// Refuses what two readers could take for different requests.
http_reply check_framing(const request_parser& parser) {
  auto& fields = parser.get();
  auto has_length = fields.count(http::field::content_length) > 0;
  auto has_coding = fields.count(http::field::transfer_encoding) > 0;
  if (has_length && has_coding)
    return bad_request("Content-Length and Transfer-Encoding exclude each other");
  if (has_coding && !parser.chunked())
    return bad_request("the last transfer coding must be chunked, and stand there once");
  auto coding = fields[http::field::transfer_encoding];
  if (has_coding
      && (fields.count(http::field::transfer_encoding) > 1 || !beast::iequals(coding, "chunked")))
    return bad_request("the only transfer coding that is understood is chunked", 501);
  auto hosts = fields.count(http::field::host);
  if (hosts > 1 || (hosts == 0 && fields.version() >= 11))
    return bad_request("exactly one Host is needed");
  auto expect = fields[http::field::expect];
  if (!expect.empty() && !beast::iequals(expect, "100-continue"))
    return bad_request("the only expectation that is understood is 100-continue", 417);
  http_reply accepted;
  accepted.status = 0;
  return accepted;
}

std::string_view reason_of(unsigned status) {
  auto reason = http::obsolete_reason(http::int_to_status(status));
  if (http::int_to_status(status) == http::status::unknown)
    return "Client Closed Request";
  return {reason.data(), reason.size()};
}

/// The date as HTTP writes it, made once a second and thread.
const std::string& present_date() {
  thread_local std::time_t second = 0;
  thread_local std::string text;
  if (auto now = std::time(nullptr); now != second) {
    second = now;
    text = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
  }
  return text;
}

}  // namespace

header_outcome read_header(const request_parser& parser) {
  header_outcome outcome;
  auto& fields = parser.get();
  outcome.is_head = fields.method() == http::verb::head;
  outcome.expects_continue = !fields[http::field::expect].empty() && fields.version() >= 11;
  outcome.refusal = check_framing(parser);
  // HTTP/1.0 has no transfer codings: who passes them on there may not know where the body ends.
  outcome.is_last = outcome.refusal.status != 0
                    || (fields.version() < 11 && fields.count(http::field::transfer_encoding) > 0);
  if (outcome.refusal.status != 0)
    return outcome;
  auto target = parse_target({fields.target().data(), fields.target().size()});
  if (!target) {
    outcome.refusal = bad_request("the request's target is malformed");
    return outcome;
  }
  auto& request = outcome.request;
  auto method = fields.method_string();
  request.method = outcome.is_head ? "GET" : std::string{method.data(), method.size()};
  request.segments = std::move(target->segments);
  request.query = std::move(target->query);
  if (auto length = parser.content_length())
    request.content_length = *length;
  copy_fields(parser, request);
  return outcome;
}

bool is_head_request(const request_parser& parser, std::string_view unread) {
  auto& fields = parser.get();
  return fields.method() == http::verb::head
         || (fields.method_string().empty() && unread.starts_with("HEAD "));
}

http_reply protocol_refusal(const beast::error_code& error) {
  if (error == http::error::header_limit || error == http::error::buffer_overflow)
    return failure_reply({error_code::too_large, "the request's header is too large", {}}, 431);
  if (error == http::error::bad_version)
    return bad_request("only HTTP/1.0 and HTTP/1.1 are understood", 505);
  if (error == http::error::partial_message)
    return bad_request("the request ended before its body was complete");
  return bad_request("not a valid HTTP request: " + error.message());
}

bool is_protocol_error(const beast::error_code& error) {
  static const auto& category = make_error_code(http::error::bad_method).category();
  return error.category() == category && error != http::error::end_of_stream;
}

void write_response_head(std::string& text, const http_reply& reply, unsigned version,
                         bool keep_alive) {
  auto add_field = [&text](std::string_view name, std::string_view value) {
    text.append(name).append(": ").append(value).append("\r\n");
  };
  text.assign("HTTP/1.").append(std::to_string(version % 10)).append(" ");
  text.append(std::to_string(reply.status)).append(" ").append(reason_of(reply.status));
  text.append("\r\nServer: dim\r\n");
  add_field("Date", present_date());
  for (auto& [name, value] : reply.headers)
    add_field(name, value);
  auto length = reply.content_length();
  if (length > 0)
    add_field("Content-Type", reply.content_type);
  if (keep_alive != (version >= 11))
    add_field("Connection", keep_alive ? "keep-alive" : "close");
  if (reply.status != 204)
    add_field("Content-Length", std::to_string(length));
  text.append("\r\n");
}

}  // namespace dim::gateway
