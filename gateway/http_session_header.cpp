// The header of a request: what has come of it is read, and more is waited for.
#include <algorithm>
#include <cstring>
#include <limits>
#include <string_view>

#include "gateway/http_session.hpp"

namespace dim::gateway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;

std::string_view text_in(const beast::flat_buffer& buffer) {
  return {static_cast<const char*>(buffer.data().data()), buffer.size()};
}

}  // namespace

void http_session::begin_request() {
  phase_ = phase::reading;
  parser_.emplace();
  parser_->header_limit(limits_.header_bytes_max);
  parser_->body_limit(std::numeric_limits<std::uint64_t>::max());
  header_ = {};
  route_ = nullptr;
  body_ = {};
  filled_ = 0;
  expect_progress();
  parse_header();
}

void http_session::parse_header() {
  error_code error;
  auto has_begun = parser_->got_some() || skip_empty_lines();
  while (has_begun && buffer_.size() > 0 && !parser_->is_header_done() && !error) {
    auto used = parser_->put(buffer_.data(), error);
    buffer_.consume(used);
    meters_of_connections().received.add(static_cast<double>(used));
  }
  if (parser_->is_header_done() || (error && error != http::error::need_more))
    return on_header(error);
  auto room = std::min(read_ahead, buffer_.max_size() - buffer_.size());
  if (room == 0)
    return on_header(http::error::header_limit);
  // Whoever reads where there may be something looks at the socket at once, and a client that is
  // quick enough would get past all whose bytes came before: the wait puts it behind them. It costs
  // a system call, which is saved where the socket is known to be empty.
  if (!is_socket_empty_)
    return socket_.async_wait(
      socket_type::wait_read, [self = shared_from_this(), room](error_code failed) {
        self->in_turn([&] { self->on_header_bytes(failed, 0, room); });
      });
  socket_.async_read_some(
    asio::buffer(first_bytes_, room),
    [self = shared_from_this(), room](error_code failed, std::size_t size) {
      self->in_turn([&] { self->on_header_bytes(failed, size, room); });
    });
}

// Some clients send an empty line behind a body.
bool http_session::skip_empty_lines() {
  constexpr std::string_view empty_line = "\r\n";
  while (buffer_.size() > 0) {
    auto text = text_in(buffer_);
    if (!text.starts_with(empty_line))
      return text != empty_line.substr(0, 1);
    buffer_.consume(empty_line.size());
    meters_of_connections().received.add(static_cast<double>(empty_line.size()));
  }
  return false;
}

void http_session::on_header_bytes(error_code error, std::size_t size, std::size_t room) {
  is_socket_empty_ = size > 0 && size < first_bytes_.size();
  // What has come whole needs no more room than it takes: ten thousand sessions keep theirs.
  auto space = buffer_.prepare(is_socket_empty_ ? size : room);
  std::memcpy(space.data(), first_bytes_.data(), size);
  if (!error && !is_socket_empty_ && size < room) {
    size += socket_.read_some(space + size, error);
    if (error == asio::error::would_block && size == 0)
      return parse_header();
    if (size > 0)
      error = {};
  }
  buffer_.commit(size);
  if (!error)
    return parse_header();
  if (error == asio::error::eof)
    error = parser_->got_some() ? http::error::partial_message : http::error::end_of_stream;
  on_header(error);
}

void http_session::on_header(error_code error) {
  header_at_ = std::chrono::steady_clock::now();
  if (error) {
    header_.is_head = is_head_request(*parser_, text_in(buffer_));
    if (is_protocol_error(error))
      refuse_request(protocol_refusal(error));
    else
      close_socket();
    return;
  }
  header_ = read_header(*parser_);
  if (header_.refusal.status != 0) {
    refuse_request(std::move(header_.refusal));
    return;
  }
  auto match = routes_.match(header_.request);
  if (match.found == nullptr) {
    refuse_request(std::move(match.refusal));
    return;
  }
  route_ = match.found;
  if (route_->body == body_mode::streamed)
    hand_over();
  else
    read_whole_body();
}

}  // namespace dim::gateway
