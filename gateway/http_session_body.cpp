// The body of a request: whole, or block by block as it is asked for.
#include <algorithm>
#include <string>
#include <utility>

#include "gateway/http_session.hpp"
#include "gateway/http_status.hpp"

namespace dim::gateway {

namespace {

namespace http = boost::beast::http;

/// A body grows in steps, so that a declared length takes no memory before its bytes are here.
constexpr std::size_t body_step = 256 << 10;
constexpr std::size_t block_bytes = 1 << 20;
/// simdjson reads this far beyond the text; room for it spares a copy of the body.
constexpr std::size_t parser_padding = 64;

}  // namespace

void http_session::read_whole_body() {
  auto too_large = [this] {
    refuse_request(
      failure_reply({runtime::error_code::too_large,
                     "the body is larger than " + std::to_string(limits_.body_bytes_max) + " bytes",
                     {}}));
  };
  auto declared = header_.request.content_length.value_or(0);
  if (declared > limits_.body_bytes_max) {
    too_large();
    return;
  }
  if (declared > 0)
    body_.reserve(declared + parser_padding);
  fill_body(limits_.body_bytes_max + 1, [this, too_large](error_code error) {
    if (error) {
      if (is_protocol_error(error))
        refuse_request(protocol_refusal(error));
      else
        close_socket();
    } else if (filled_ > limits_.body_bytes_max) {
      too_large();
    } else {
      // The parser's answer must not hang on what stands in that room.
      body_.resize(filled_ + parser_padding);
      body_.resize(filled_);
      header_.request.body = runtime::bytes{std::move(body_)};
      hand_over();
    }
  });
}

void http_session::fill_body(std::size_t bytes_max, body_callback done) {
  progressed_to_.reset();
  if (parser_->is_done() || !header_.expects_continue) {
    continue_filling(bytes_max, std::move(done));
    return;
  }
  header_.expects_continue = false;
  auto go_on = std::make_shared<http::response<http::empty_body>>(http::status::continue_, 11);
  expect_progress();
  http::async_write(socket_, *go_on,
                    [self = shared_from_this(), go_on, bytes_max, done = std::move(done)](
                      error_code error, std::size_t) mutable {
                      self->in_turn([&] {
                        if (error)
                          done(error);
                        else
                          self->continue_filling(bytes_max, std::move(done));
                      });
                    });
}

void http_session::offer_room(std::size_t bytes_max) {
  if (body_.size() == filled_) {
    auto expected = parser_->content_length_remaining().value_or(body_step);
    auto step = std::clamp<std::uint64_t>(expected, 1, body_step);
    body_.resize(std::min(bytes_max, filled_ + static_cast<std::size_t>(step)));
  }
  auto& target = parser_->get().body();
  target.data = body_.data() + filled_;
  target.size = body_.size() - filled_;
  target.more = true;
}

void http_session::expect_body_progress() {
  if (progressed_to_ && filled_ - *progressed_to_ < body_progress_bytes)
    return;
  progressed_to_ = filled_;
  expect_progress();
}

void http_session::continue_filling(std::size_t bytes_max, body_callback done) {
  // A small body has come with its header: it needs no operation of its own.
  for (auto is_stuck = false; !is_stuck;) {
    if (parser_->is_done() || filled_ == bytes_max) {
      body_.resize(filled_);
      return done({});
    }
    offer_room(bytes_max);
    if (buffer_.size() == 0)
      break;
    error_code error;
    auto used = parser_->put(buffer_.data(), error);
    is_stuck = used == 0;
    buffer_.consume(used);
    meters_of_connections().received.add(static_cast<double>(used));
    filled_ = body_.size() - parser_->get().body().size;
    if (error && error != http::error::need_buffer && error != http::error::need_more)
      return done(error);
  }
  expect_body_progress();
  is_socket_empty_ = false;
  http::async_read_some(socket_, buffer_, *parser_,
                        [self = shared_from_this(), bytes_max, done = std::move(done)](
                          error_code error, std::size_t bytes) mutable {
                          meters_of_connections().received.add(static_cast<double>(bytes));
                          self->in_turn([&] {
                            self->filled_ = self->body_.size() - self->parser_->get().body().size;
                            if (error && error != http::error::need_buffer)
                              done(error);
                            else
                              self->continue_filling(bytes_max, std::move(done));
                          });
                        });
}

void http_session::read_block(exchange::block_callback done) {
  in_turn([&] {
    body_ = {};
    filled_ = 0;
    fill_body(block_bytes,
              [this, done = std::move(done)](error_code error) { deliver_block(error, done); });
  });
}

void http_session::deliver_block(error_code error, const exchange::block_callback& done) {
  using runtime::error_code;
  progress_due_ns_.store(no_progress_due, std::memory_order_relaxed);
  runtime::expected<runtime::bytes> block;
  if (!error)
    block = runtime::bytes{std::move(body_)};
  else if (is_protocol_error(error))
    block = runtime::fail(error_code::bad_input, "the body broke off: " + error.message());
  else
    block = runtime::fail(error_code::cancelled, "the connection was lost: " + error.message());
  callout_.call = [done, block = std::move(block)]() mutable { done(std::move(block)); };
}

}  // namespace dim::gateway
