#pragma once

#include <utility>

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include "gateway/exchange.hpp"
#include "gateway/router.hpp"
#include "gateway/session_header.hpp"
#include "gateway/session_set.hpp"
#include "runtime/many_sends.hpp"
#include "runtime/system.hpp"

namespace dim::gateway {

/// What one connection may use.
struct session_limits {
  std::uint32_t header_bytes_max = 16 << 10;
  /// Of a buffered body; a streamed one is limited by who takes it.
  std::uint64_t body_bytes_max = 64ull << 20;
  /// A connection on which nothing has come or gone for this long is closed; so is one whose body
  /// comes by less than `body_progress_bytes` in this time, and one whose header takes longer.
  std::chrono::milliseconds idle_timeout{60'000};
};

/// For those who run handlers: what one has thrown ends nothing but its request.
void log_handler_exception(const std::exception& problem);

/// One connection: reads a request, hands it to its route, writes the answer, and starts again.
/// Requests that the client has sent ahead (pipelining) wait in the socket until it is their
/// turn.
///
///   reading header --> [reading body] --> handling [--> reading blocks] --> writing --+
///        ^                                                                          |
///        +------------------------------ keep-alive --------------------------------+
///                                                                                   |
///                              closed <-- lingering (the body was not wanted) <-----+
///
/// What comes is read on the thread of the connection's event loop, which calls the handler,
/// unless, with much to do, another thread takes that over (`runtime::spare_work`). An answer is
/// written by the thread that has it, which then starts to read the next request: no other is
/// woken. So one thread at a time has its turn with the session (`in_turn`), and what is called
/// outside, handlers and their callbacks, is called after the turn. The session lives as long as an
/// operation of its own or an exchange of a handler holds it.
class http_session : public std::enable_shared_from_this<http_session> {
public:
  /// On one event loop, known by its type: nothing of an operation is looked up at run time.
  using socket_type =
    boost::asio::basic_stream_socket<boost::asio::ip::tcp, boost::asio::io_context::executor_type>;

  /// `shared`: of the actor system whose threads may run handlers as well; null: there is none.
  http_session(socket_type socket, const router& routes, session_limits limits,
               std::shared_ptr<session_set> sessions, runtime::system_context* shared = nullptr);
  ~http_session();
  http_session(const http_session&) = delete;
  http_session& operator=(const http_session&) = delete;

  /// Enters the session into its set and starts to read. Any thread.
  void start();
  /// Answers 503 and closes: there are too many connections. Any thread.
  void refuse();
  /// Closes after the answer that is due, or at once when none is. Any thread.
  void drain();
  /// Closes now. Any thread.
  void close();

  /// For the exchange: runs `task` on the thread of the event loop. Any thread.
  void post(std::function<void()> task);
  /// For the exchange: writes the answer to the present request. Any thread.
  void send(http_reply answer);
private:
  /// What a turn leaves to be called when it is over.
  struct callout {
    /// Goes to its route's handler.
    exchange_ptr handed;
    const route* handler = nullptr;
    std::function<void()> call;
    /// Is only let go: it may hold an exchange, whose end has a turn of its own.
    std::function<void()> dropped;
  };

public:
  /// A turn with the session that is taken outside it: see `in_turn`.
  class held_turn {
  public:
    explicit held_turn(http_session& session) : session_(session), guard_(session.turn_) {
    }
    void end() {
      left_ = std::exchange(session_.callout_, {});
      guard_.unlock();
    }
    /// Calls what the turn has left. After its end, and that of all others which the thread holds.
    void call() {
      session_.make(std::exchange(left_, {}));
    }

  private:
    http_session& session_;
    std::unique_lock<std::mutex> guard_;
    callout left_;
  };

  /// For the round: the answer that it is to send; no socket where that has been closed meanwhile.
  /// In a turn.
  runtime::socket_send unsent();
  /// For the round: what became of it. In the same turn.
  void note_sent(std::int64_t result);

  /// For the exchange: see `exchange::watch`.
  void watch(std::function<void()> gone);
  /// Looks whether the client of a request that has been watched since the last call is still
  /// there, and closes a connection on which nothing has come or gone for too long. Any thread.
  void look_for_peer(std::chrono::steady_clock::time_point now);
  /// For the exchange: see `exchange::read_block`.
  void read_block(exchange::block_callback done);

private:
  using error_code = boost::beast::error_code;
  using body_callback = std::function<void(error_code)>;

  enum class phase : std::uint8_t { reading, handling, writing, closing };

  /// Does `work` while no other thread has its turn, and then calls what it left. Not in a turn.
  template <class Work>
  void in_turn(Work work);
  void make(callout left);
  /// Calls the handler; with much to do, a quick one is offered to other threads.
  void call_handler(const route& found, exchange_ptr handed);

  void begin_request();
  /// Reads the header from what has come, and waits for more of it.
  void parse_header();
  /// Takes the empty lines before a request; whether the beginning of one is there.
  bool skip_empty_lines();
  /// `size` bytes are in `first_bytes_`; takes them, and more that is there, at most `room` bytes.
  void on_header_bytes(error_code error, std::size_t size, std::size_t room);
  void on_header(error_code error);
  void read_whole_body();
  void hand_over();
  void refuse_request(http_reply answer);

  /// Reads into `body_` until it holds `bytes_max` bytes or the message is complete.
  void fill_body(std::size_t bytes_max, body_callback done);
  /// As `expect_progress`, while the body comes.
  void expect_body_progress();
  /// Gives the parser what is free in `body_`, which grows when nothing is.
  void offer_room(std::size_t bytes_max);
  void continue_filling(std::size_t bytes_max, body_callback done);
  void deliver_block(error_code error, const exchange::block_callback& done);

  /// Something must come or go within the idle time. A timer for each operation would cost more
  /// than the operation.
  void expect_progress();
  /// Whether the request has been read to its end.
  bool is_whole() const;
  void tell_if_gone();
  void close_if_idle();
  void write(http_reply answer);
  /// Writes what is left: now, or with the other answers of the thread's round.
  void write_some();
  void write_when_ready();
  void on_some_written(error_code error, std::size_t size);
  /// Takes note that `size` bytes have been written; whether that was all.
  bool take_written(std::size_t size);
  void on_written();
  void linger();
  void discard_input();
  void close_socket();

  /// A body that came more slowly would hold its connection, and what has come of it, for ever.
  static constexpr std::size_t body_progress_bytes = 4 << 10;
  /// One read of the socket goes at most this far beyond the header.
  static constexpr std::size_t read_ahead = 64 << 10;

  std::mutex turn_;
  callout callout_;

  socket_type socket_;
  const router& routes_;
  const session_limits limits_;
  std::shared_ptr<session_set> sessions_;
  runtime::system_context* shared_;

  phase phase_ = phase::reading;
  bool draining_ = false;
  /// When the present request's header had come.
  std::chrono::steady_clock::time_point header_at_ = std::chrono::steady_clock::now();
  /// What a waiting session reads into: small, for ten thousand of them wait.
  std::array<char, 1 << 10> first_bytes_;
  /// The last read of the socket took all that was there.
  bool is_socket_empty_ = false;
  boost::beast::flat_buffer buffer_;
  std::optional<request_parser> parser_;
  header_outcome header_;
  const route* route_ = nullptr;
  std::vector<char> body_;
  std::size_t filled_ = 0;
  /// What `filled_` was when the body last made progress; none before it is waited for.
  std::optional<std::size_t> progressed_to_;

  /// The answer that is being written, and what is left of it to write.
  http_reply reply_;
  std::string head_;
  std::vector<boost::asio::const_buffer> unwritten_;
  std::size_t written_buffers_ = 0;
  bool keep_alive_ = false;
  /// The answer waits for the end of a round.
  bool is_in_round_ = false;

  std::function<void()> gone_;
  /// 0: nothing is watched; 1: since less than one call of `look_for_peer`; 2: for longer.
  std::atomic<std::uint8_t> watched_{0};
  static constexpr std::int64_t no_progress_due = std::numeric_limits<std::int64_t>::max();
  /// When the connection is closed unless something comes or goes, on the steady clock.
  std::atomic<std::int64_t> progress_due_ns_{no_progress_due};
};

template <class Work>
void http_session::in_turn(Work work) {
  callout left;
  {
    std::lock_guard guard{turn_};
    work();
    left = std::exchange(callout_, {});
  }
  make(std::move(left));
}

}  // namespace dim::gateway
