#include "tools/bench/http_load.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include <boost/asio.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

namespace dim::tools {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using clock_type = std::chrono::steady_clock;
using error_code = boost::system::error_code;

constexpr std::size_t read_bytes = 64 << 10;
/// No answer is larger; Beast's own limit is 8 MiB.
constexpr std::uint64_t answer_bytes_max = 1ull << 40;
/// Before a connection that was lost is opened again.
constexpr std::chrono::milliseconds reopen_pause{50};
/// Between two looks for requests that have waited too long.
constexpr std::chrono::milliseconds watch_pause{100};

class connection;

struct shared_run {
  load_options options;
  const request_source& source;
  const std::function<bool(const answer&)>& is_good;
  tcp::endpoint endpoint = {};
  load_result result = {};
  clock_type::time_point begin = clock_type::now();
  clock_type::time_point counted_from = begin + options.warm_up;
  clock_type::time_point end = counted_from + options.duration;
  clock_type::time_point last_answer = counted_from;
  std::uint64_t next_number = 0;
  /// With a rate: when the first request is due that comes too late for the run.
  std::optional<clock_type::time_point> next_due = {};
  /// Whether a connection that is lost, or can not be had, is tried again.
  bool reopens = true;
  asio::io_context context{1};
  asio::steady_timer watch{context};
  std::vector<std::weak_ptr<connection>> connections = {};
  std::uint32_t open = 0;

  /// When request `number` is due.
  clock_type::time_point due(std::uint64_t number) const {
    if (options.rate <= 0)
      return clock_type::now();
    return begin
           + std::chrono::duration_cast<clock_type::duration>(
             std::chrono::duration<double>(double(number) / options.rate));
  }

  void note_error(const std::string& why) {
    if (result.errors++ == 0)
      result.first_error = why;
  }
};

/// One connection. It reads and writes itself, without waiting, and asks the system only when there
/// is nothing to do: on a machine that runs the server as well, the client's share counts.
class connection : public std::enable_shared_from_this<connection> {
public:
  explicit connection(shared_run& run)
    : socket_(run.context), timer_(run.context), run_(run) {
    ++run_.open;
  }
  ~connection() {
    if (--run_.open == 0)
      run_.watch.cancel();
  }

  void open() {
    buffer_.clear();
    socket_.async_connect(run_.endpoint, [me = shared_from_this()](error_code error) {
      if (error)
        return me->fail("can not connect: " + error.message());
      me->socket_.set_option(tcp::no_delay(true));
      me->socket_.non_blocking(true);
      me->next();
    });
  }

  /// Ends the wait for an answer that has taken too long.
  void look_at_clock(clock_type::time_point now) {
    if (!is_waiting_ || now < sent_at_ + run_.options.reply_timeout)
      return;
    is_late_ = true;
    error_code ignored;
    socket_.cancel(ignored);
  }

private:
  void next() {
    if (clock_type::now() >= run_.end)
      return;
    auto number = run_.next_number++;
    started_ = run_.due(number);
    if (started_ >= run_.end && run_.options.rate > 0)
      return rest();
    request_ = run_.source(number, before_);
    if (request_.view().empty())
      return;
    if (started_ <= clock_type::now())
      return send();
    timer_.expires_at(started_);
    timer_.async_wait([me = shared_from_this()](error_code error) {
      if (!error)
        me->send();
    });
  }

  /// Nothing more is due: the run lasts as long as was asked.
  void rest() {
    run_.next_due = std::min(started_, run_.next_due.value_or(started_));
    timer_.expires_at(run_.end);
    timer_.async_wait([me = shared_from_this()](error_code) {});
  }

  void send() {
    written_ = 0;
    sent_at_ = clock_type::now();
    is_waiting_ = true;
    is_late_ = false;
    parser_.emplace();
    parser_->eager(true);
    parser_->body_limit(answer_bytes_max);
    write();
  }

  void write() {
    error_code error;
    auto& text = request_.view();
    while (written_ < text.size() && !error)
      written_ += socket_.write_some(asio::buffer(text) + written_, error);
    if (error == asio::error::would_block) {
      socket_.async_wait(tcp::socket::wait_write, [me = shared_from_this()](error_code problem) {
        problem ? me->fail("can not send: " + problem.message()) : me->write();
      });
    } else if (error) {
      fail("can not send: " + error.message());
    } else {
      await_input();
    }
  }

  void await_input() {
    socket_.async_wait(tcp::socket::wait_read, [me = shared_from_this()](error_code error) {
      error ? me->fail(error.message()) : me->read();
    });
  }

  void read() {
    for (;;) {
      error_code error;
      buffer_.commit(socket_.read_some(buffer_.prepare(read_bytes), error));
      if (error == asio::error::would_block)
        return await_input();
      if (error && error != asio::error::eof)
        return fail(error.message());
      error_code problem;
      buffer_.consume(parser_->put(buffer_.data(), problem));
      // Before the first byte of an answer its end is no end, but a lost connection.
      if (error && parser_->got_some() && !parser_->is_done())
        parser_->put_eof(problem);
      if (problem && problem != http::error::need_more)
        return fail("no HTTP answer: " + problem.message());
      if (parser_->is_done())
        return take();
      if (error)
        return fail("the connection was closed");
    }
  }

  void take() {
    is_waiting_ = false;
    auto now = clock_type::now();
    auto stays = parser_->keep_alive();
    auto response = parser_->release();
    before_ = {response.result_int(), std::move(response.body())};
    if (!run_.is_good(before_)) {
      run_.note_error("status " + std::to_string(before_.status) + ": "
                      + before_.body.substr(0, 200));
    } else if (started_ >= run_.counted_from) {
      ++run_.result.answered;
      run_.result.answer_bytes += before_.body.size();
      run_.result.latencies.add(now - started_);
      run_.last_answer = now;
    }
    if (stays)
      return next();
    error_code ignored;
    socket_.close(ignored);
    if (now < run_.end)
      open();
  }

  void fail(const std::string& why) {
    is_waiting_ = false;
    run_.note_error(is_late_ ? "no answer in time" : why);
    error_code ignored;
    socket_.close(ignored);
    if (!run_.reopens || clock_type::now() + reopen_pause >= run_.end)
      return;
    timer_.expires_after(reopen_pause);
    timer_.async_wait([me = shared_from_this()](error_code error) {
      if (!error)
        me->open();
    });
  }

  tcp::socket socket_;
  asio::steady_timer timer_;
  shared_run& run_;
  beast::flat_buffer buffer_;
  std::optional<http::response_parser<http::string_body>> parser_;
  request_text request_{""};
  std::size_t written_ = 0;
  answer before_;
  clock_type::time_point started_;
  clock_type::time_point sent_at_;
  bool is_waiting_ = false;
  bool is_late_ = false;
};

/// Looks at all connections again and again, as long as one is open.
void watch_connections(shared_run& run) {
  run.watch.expires_after(watch_pause);
  run.watch.async_wait([&run](error_code error) {
    if (error || run.open == 0)
      return;
    for (auto& each : run.connections)
      if (auto open = each.lock())
        open->look_at_clock(clock_type::now());
    watch_connections(run);
  });
}

/// The time that the counted answers stand for. At a rate, each stands for the time until the next
/// one is due.
double counted_seconds(const shared_run& run) {
  auto begin = run.counted_from;
  auto end = run.last_answer;
  if (run.next_due) {
    auto warm_up = std::chrono::duration<double>(run.options.warm_up).count();
    // Less than a nanosecond of a second is an error of rounding.
    begin = run.due(static_cast<std::uint64_t>(std::ceil(warm_up * run.options.rate - 1e-9)));
    end = std::max(end, *run.next_due);
  }
  return std::chrono::duration<double>(end - begin).count();
}

load_result run_all(shared_run& run) {
  auto& options = run.options;
  error_code error;
  tcp::resolver resolver{run.context};
  auto found = resolver.resolve(options.host, std::to_string(options.port), error);
  if (error || found.empty()) {
    run.note_error("can not find " + options.host + ": " + error.message());
    return std::move(run.result);
  }
  run.endpoint = *found.begin();
  for (std::uint32_t index = 0; index < options.connections; ++index) {
    auto made = std::make_shared<connection>(run);
    run.connections.push_back(made);
    made->open();
  }
  watch_connections(run);
  run.context.run();
  run.result.seconds = counted_seconds(run);
  return std::move(run.result);
}

}  // namespace

load_result run_load(const load_options& options, const request_source& source,
                     const std::function<bool(const answer&)>& is_good) {
  shared_run run{options, source, is_good};
  return run_all(run);
}

answer ask_once(const std::string& host, std::uint16_t port, const std::string& request) {
  load_options options;
  options.host = host;
  options.port = port;
  options.connections = 1;
  options.duration = std::chrono::minutes{2};
  options.reply_timeout = options.duration;
  answer result;
  auto asked = false;
  const request_source once = [&](std::uint64_t, const answer&) -> request_text {
    return std::exchange(asked, true) ? "" : request;
  };
  const std::function<bool(const answer&)> keep = [&](const answer& x) {
    result = x;
    return true;
  };
  shared_run run{options, once, keep};
  run.reopens = false;
  run_all(run);
  return result;
}

std::string make_request(const std::string& method, const std::string& target,
                         const std::string& body, const std::string& headers) {
  auto result = method + " " + target + " HTTP/1.1\r\nHost: dim\r\n" + headers;
  if (!body.empty())
    result +=
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return result + "\r\n" + body;
}

}  // namespace dim::tools
