#include "gateway/http_session.hpp"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include <boost/asio/dispatch.hpp>
#include <boost/asio/post.hpp>

#include "gateway/answer_round.hpp"
#include "gateway/http_status.hpp"
#include "gateway/session_exchange.hpp"
#include "runtime/log.hpp"

namespace dim::gateway {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;

/// Larger answers are written by the thread of the event loop.
constexpr std::size_t written_here_max = 64 << 10;
/// With a larger body, or one that may become larger, a request stays on its connection's thread.
constexpr std::size_t offered_bytes_max = 16 << 10;
/// A smaller body is cheaper copied behind its head than sent as a buffer of its own.
constexpr std::size_t joined_max = 4 << 10;

/// Buffers that are written together; a sequence in the library's sense that owns nothing.
struct buffer_range {
  using value_type = asio::const_buffer;
  using const_iterator = const asio::const_buffer*;

  const_iterator begin() const noexcept {
    return first;
  }
  const_iterator end() const noexcept {
    return last;
  }

  const_iterator first;
  const_iterator last;
};

}  // namespace

void log_handler_exception(const std::exception& problem) {
  runtime::log(runtime::log_level::error, "GATEWAY", "caught an exception of a handler",
               {{"reason", problem.what()}});
}

http_session::http_session(socket_type socket, const router& routes, session_limits limits,
                           std::shared_ptr<session_set> sessions,
                           runtime::system_context* shared)
  : socket_(std::move(socket)),
    routes_(routes),
    limits_(limits),
    sessions_(std::move(sessions)),
    shared_(shared),
    buffer_(limits.header_bytes_max + read_ahead) {
  meters_of_connections().connections.add(1);
}

http_session::~http_session() {
  meters_of_connections().connections.add(-1);
  sessions_->leave(this);
}

void http_session::start() {
  sessions_->enter(shared_from_this());
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    error_code ignored;
    self->in_turn([&] {
      self->socket_.set_option(asio::ip::tcp::no_delay{true}, ignored);
      self->socket_.non_blocking(true, ignored);
      self->begin_request();
    });
  });
}

void http_session::refuse() {
  sessions_->enter(shared_from_this());
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->in_turn([&] {
      self->draining_ = true;
      self->write(
        failure_reply({runtime::error_code::overloaded, "too many connections are open", {}}));
    });
  });
}

void http_session::drain() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->in_turn([&] {
      self->draining_ = true;
      auto is_idle = self->phase_ == phase::reading && self->buffer_.size() == 0 && self->parser_
                     && !self->parser_->got_some();
      if (is_idle || self->phase_ == phase::closing)
        self->close_socket();
    });
  });
}

void http_session::close() {
  asio::dispatch(socket_.get_executor(), [self = shared_from_this()] {
    self->in_turn([&] { self->close_socket(); });
  });
}

void http_session::post(std::function<void()> task) {
  asio::post(socket_.get_executor(),
             [self = shared_from_this(), task = std::move(task)] { task(); });
}

void http_session::make(callout left) {
  if (left.handed)
    call_handler(*left.handler, std::move(left.handed));
  if (left.call)
    left.call();
}

void http_session::call_handler(const route& found, exchange_ptr handed) {
  auto* round = answer_round::of_this_thread();
  auto is_offered = found.is_quick && shared_ != nullptr
                    && (round != nullptr ? round->keeps(shared_->traffic)
                                         : !shared_->traffic.is_calm())
                    && handed->request().body.size() <= offered_bytes_max
                    && handed->request().header("content-encoding").empty();
  if (!is_offered)
    return found.handle(std::move(handed));
  shared_->spare.offer([handed = std::move(handed), &found] {
    try {
      found.handle(handed);
    } catch (const std::exception& problem) {
      log_handler_exception(problem);
    }
  });
}

void http_session::send(http_reply answer) {
  auto write_it = [this](http_reply& ready) {
    in_turn([&] {
      if (phase_ == phase::handling)
        write(std::move(ready));
    });
  };
  if (answer.content_length() <= written_here_max)
    return write_it(answer);
  // It takes its time to copy: not that of the thread that has made it.
  auto carried = std::make_shared<http_reply>(std::move(answer));
  asio::dispatch(socket_.get_executor(),
                 [self = shared_from_this(), carried, write_it] { write_it(*carried); });
}

void http_session::hand_over() {
  phase_ = phase::handling;
  progress_due_ns_.store(no_progress_due, std::memory_order_relaxed);
  callout_.handed =
    std::make_shared<session_exchange>(shared_from_this(), std::move(header_.request));
  callout_.handler = route_;
}

void http_session::refuse_request(http_reply answer) {
  phase_ = phase::handling;
  write(std::move(answer));
}

bool http_session::is_whole() const {
  return parser_ && parser_->is_header_done() && parser_->is_done();
}

void http_session::write(http_reply answer) {
  phase_ = phase::writing;
  watched_.store(0, std::memory_order_relaxed);
  callout_.dropped = std::exchange(gone_, nullptr);
  keep_alive_ = is_whole() && !header_.is_last && !draining_ && parser_->get().keep_alive();
  reply_ = std::move(answer);
  write_response_head(head_, reply_, is_whole() ? parser_->get().version() : 11, keep_alive_);
  auto is_joined = !header_.is_head && reply_.body.size() <= joined_max;
  if (is_joined)
    head_ += reply_.body;
  unwritten_.assign(1, asio::buffer(head_));
  written_buffers_ = 0;
  if (!header_.is_head) {
    if (!is_joined)
      unwritten_.push_back(asio::buffer(reply_.body));
    for (auto& each : reply_.tail)
      unwritten_.push_back(asio::buffer(each.data(), each.size()));
  }
  write_some();
}

void http_session::write_some() {
  expect_progress();
  auto is_single = written_buffers_ + 1 == unwritten_.size();
  auto* round = answer_round::of_this_thread();
  if (is_single && round != nullptr && shared_ != nullptr && round->keeps(shared_->traffic)) {
    is_in_round_ = true;
    return round->add(shared_from_this());
  }
  // Most answers have room in the socket: they need no operation of their own.
  error_code error;
  buffer_range left{unwritten_.data() + written_buffers_, unwritten_.data() + unwritten_.size()};
  auto size = is_single ? socket_.write_some(asio::const_buffer{*left.first}, error)
                        : socket_.write_some(left, error);
  if (error != asio::error::would_block)
    return on_some_written(error, size);
  write_when_ready();
}

void http_session::write_when_ready() {
  buffer_range left{unwritten_.data() + written_buffers_, unwritten_.data() + unwritten_.size()};
  socket_.async_write_some(left, [self = shared_from_this()](error_code failed, std::size_t sent) {
    self->in_turn([&] { self->on_some_written(failed, sent); });
  });
}

runtime::socket_send http_session::unsent() {
  if (!std::exchange(is_in_round_, false) || phase_ != phase::writing)
    return {};
  auto& left = unwritten_[written_buffers_];
  return {socket_.native_handle(), static_cast<const char*>(left.data()), left.size()};
}

void http_session::note_sent(std::int64_t result) {
  error_code error;
  if (result < 0 && result != -EAGAIN)
    error.assign(static_cast<int>(-result), boost::system::system_category());
  auto size = static_cast<std::size_t>(std::max<std::int64_t>(0, result));
  // The round is over: the rest goes out when the socket has room.
  auto is_left = !error && size < unwritten_[written_buffers_].size();
  if (!is_left)
    return on_some_written(error, size);
  meters_of_connections().sent.add(static_cast<double>(size));
  std::ignore = take_written(size);
  write_when_ready();
}

void http_session::on_some_written(error_code error, std::size_t size) {
  meters_of_connections().sent.add(static_cast<double>(size));
  if (error)
    close_socket();
  else if (take_written(size))
    on_written();
  else
    write_some();
}

bool http_session::take_written(std::size_t size) {
  while (written_buffers_ < unwritten_.size()) {
    auto& first = unwritten_[written_buffers_];
    if (size < first.size()) {
      first += size;
      return false;
    }
    size -= first.size();
    ++written_buffers_;
  }
  return true;
}

void http_session::on_written() {
  auto& meter = route_ != nullptr ? *route_->meter : unrouted_meter();
  meter.count(reply_.status, std::chrono::steady_clock::now() - header_at_);
  reply_ = {};
  if (!keep_alive_)
    linger();
  else if (draining_)
    close_socket();
  else if (buffer_.size() > 0)
    // A request that was sent ahead: it takes its turn behind other connections.
    post([this] { in_turn([this] { begin_request(); }); });
  else
    begin_request();
}

// A close with unread input would reset the connection, and the client might never see the
// answer: so the rest is read, and thrown away, until the client closes or the time is over.
void http_session::linger() {
  phase_ = phase::closing;
  error_code ignored;
  socket_.shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  if (draining_ && is_whole()) {
    close_socket();
    return;
  }
  expect_progress();
  body_.resize(read_ahead);
  discard_input();
}

void http_session::discard_input() {
  socket_.async_read_some(asio::buffer(body_),
                          [self = shared_from_this()](error_code error, std::size_t) {
                            self->in_turn([&] {
                              if (error)
                                self->close_socket();
                              else
                                self->discard_input();
                            });
                          });
}

void http_session::close_socket() {
  phase_ = phase::closing;
  progress_due_ns_.store(no_progress_due, std::memory_order_relaxed);
  error_code ignored;
  socket_.close(ignored);
}

}  // namespace dim::gateway
