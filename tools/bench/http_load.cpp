#include "tools/bench/http_load.hpp"

#include <algorithm>
#include <memory>
#include <utility>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace dim::tools {

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using clock_type = std::chrono::steady_clock;

struct shared_run {
  load_options options;
  const request_source& source;
  const std::function<bool(const answer&)>& is_good;
  load_result result;
  clock_type::time_point begin = clock_type::now();
  clock_type::time_point end = begin + options.duration;
  std::uint64_t next_number = 0;

  /// When request `number` is due.
  clock_type::time_point due(std::uint64_t number) const {
    if (options.rate <= 0)
      return clock_type::now();
    return begin
           + std::chrono::duration_cast<clock_type::duration>(
             std::chrono::duration<double>(double(number) / options.rate));
  }
};

class connection : public std::enable_shared_from_this<connection> {
public:
  connection(asio::io_context& context, shared_run& run)
    : stream_(context), timer_(context), run_(run) {
  }

  void start(const asio::ip::tcp::endpoint& endpoint) {
    auto me = shared_from_this();
    stream_.async_connect(endpoint, [me](beast::error_code error) {
      if (error)
        ++me->run_.result.errors;
      else
        me->next();
    });
  }

private:
  void next() {
    stream_.socket().set_option(asio::ip::tcp::no_delay(true));
    if (clock_type::now() >= run_.end)
      return;
    auto number = run_.next_number++;
    started_ = run_.due(number);
    if (started_ >= run_.end)
      return;
    request_ = run_.source(number, before_);
    if (request_.empty())
      return;
    if (started_ <= clock_type::now())
      return send();
    timer_.expires_at(started_);
    timer_.async_wait([me = shared_from_this()](beast::error_code error) {
      if (!error)
        me->send();
    });
  }

  void send() {
    auto me = shared_from_this();
    asio::async_write(stream_, asio::buffer(request_), [me](beast::error_code error, std::size_t) {
      if (error)
        ++me->run_.result.errors;
      else
        me->receive();
    });
  }

  void receive() {
    parser_ = std::make_unique<http::response_parser<http::string_body>>();
    parser_->body_limit(1ull << 30);
    auto me = shared_from_this();
    http::async_read(stream_, buffer_, *parser_, [me](beast::error_code error, std::size_t) {
      if (error)
        ++me->run_.result.errors;
      else
        me->take();
    });
  }

  void take() {
    auto response = parser_->release();
    before_ = {response.result_int(), std::move(response.body())};
    auto took = std::chrono::duration_cast<std::chrono::microseconds>(clock_type::now() - started_);
    if (run_.is_good(before_)) {
      ++run_.result.answered;
      run_.result.latencies_us.push_back(static_cast<std::uint32_t>(took.count()));
    } else {
      ++run_.result.errors;
    }
    next();
  }

  beast::tcp_stream stream_;
  asio::steady_timer timer_;
  shared_run& run_;
  beast::flat_buffer buffer_;
  std::unique_ptr<http::response_parser<http::string_body>> parser_;
  std::string request_;
  answer before_;
  clock_type::time_point started_;
};

}  // namespace

double load_result::quantile_us(double share) const {
  if (latencies_us.empty())
    return 0;
  auto index = static_cast<std::size_t>(share * double(latencies_us.size() - 1) + 0.5);
  return latencies_us[index];
}

load_result run_load(const load_options& options, const request_source& source,
                     const std::function<bool(const answer&)>& is_good) {
  asio::io_context context{1};
  shared_run run{options, source, is_good, {}};
  asio::ip::tcp::endpoint endpoint{asio::ip::make_address(options.host), options.port};
  for (std::uint32_t index = 0; index < options.connections; ++index)
    std::make_shared<connection>(context, run)->start(endpoint);
  context.run();
  run.result.seconds = std::chrono::duration<double>(clock_type::now() - run.begin).count();
  std::sort(run.result.latencies_us.begin(), run.result.latencies_us.end());
  return std::move(run.result);
}

answer ask_once(const std::string& host, std::uint16_t port, const std::string& request) {
  load_options options;
  options.host = host;
  options.port = port;
  options.connections = 1;
  options.duration = std::chrono::minutes{2};
  answer result;
  auto once = [&](std::uint64_t number, const answer&) { return number == 0 ? request : ""; };
  run_load(options, once, [&](const answer& x) {
    result = x;
    return true;
  });
  return result;
}

std::string http_request(const std::string& method, const std::string& target,
                         const std::string& body, const std::string& headers) {
  auto result = method + " " + target + " HTTP/1.1\r\nHost: dim\r\n" + headers;
  if (!body.empty())
    result +=
      "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  return result + "\r\n" + body;
}

}  // namespace dim::tools
