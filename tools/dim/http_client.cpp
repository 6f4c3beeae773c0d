#include "tools/dim/http_client.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <optional>

#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace dim::tools {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using tcp = asio::ip::tcp;
using error_code = beast::error_code;
using std::chrono::milliseconds;

namespace {

constexpr std::size_t block_bytes = 256 << 10;
constexpr milliseconds grace{500};

/// A body piece by piece, from memory or from a file.
class body_source {
public:
  explicit body_source(const http_request& request) : request_(request) {
    if (request.body_file.empty()) {
      size_ = request.body.size();
      return;
    }
    file_.open(request.body_file, std::ios::binary | std::ios::ate);
    const auto first = static_cast<std::streamoff>(request.body_offset);
    const auto end = file_ ? static_cast<std::streamoff>(file_.tellg()) : -1;
    is_readable_ = end >= first;
    size_ = is_readable_ ? static_cast<std::uint64_t>(end - first) : 0;
    file_.seekg(first);
  }

  bool is_readable() const {
    return is_readable_;
  }
  std::uint64_t size() const {
    return size_;
  }

  /// The piece that begins at `offset`; empty at the end, and where the file can not be read.
  std::string_view piece(std::uint64_t offset) {
    const auto length = std::min<std::uint64_t>(block_bytes, size_ - offset);
    if (request_.body_file.empty())
      return std::string_view{request_.body}.substr(offset, length);
    block_.resize(length);
    file_.read(block_.data(), static_cast<std::streamsize>(length));
    return {block_.data(), static_cast<std::size_t>(file_.gcount())};
  }

private:
  const http_request& request_;
  std::ifstream file_;
  std::string block_;
  std::uint64_t size_ = 0;
  bool is_readable_ = true;
};

std::string text_of(const error_code& error) {
  return error == beast::error::timeout ? "it took too long" : error.message();
}

}  // namespace

class http_client::connection {
public:
  connection(address server, client_limits limits) : server_(std::move(server)), limits_(limits) {
  }

  tl::expected<http_answer, no_answer> send(const http_request& request, const progress& sent) {
    body_source body{request};
    if (!body.is_readable())
      return tl::unexpected<no_answer>({"can not read " + request.body_file});
    const bool is_reused = stream_.has_value();
    auto answer = send_once(request, body, sent);
    if (!answer && is_reused && request.method == "GET" && !stream_)
      answer = send_once(request, body, sent);
    return answer;
  }

  const address& server() const noexcept {
    return server_;
  }

private:
  tl::expected<http_answer, no_answer> send_once(const http_request& request, body_source& body,
                                                 const progress& sent) {
    if (!stream_)
      if (auto error = connect())
        return broken("can not connect to " + server_.authority(), error);
    const auto write_error = write(request, body, sent);
    if (write_error == boost::system::errc::io_error)
      return broken("can not read " + request.body_file, write_error);
    // A server may refuse a body before it has all of it: then its answer is there to be read.
    auto answer = read(request);
    if (!answer && write_error)
      return broken("the connection to " + server_.authority() + " broke", write_error);
    if (write_error)
      stream_.reset();
    return answer;
  }

  error_code connect() {
    stream_.emplace(io_);
    buffer_.clear();
    tcp::resolver resolver{io_};
    // Shared, because a name server that is slow may answer after the wait for it is over.
    auto found = std::make_shared<tcp::resolver::results_type>();
    auto error = await(limits_.connect_timeout_ms, [&](auto done) {
      resolver.async_resolve(server_.host, server_.port,
                             [found, done](error_code ec, tcp::resolver::results_type results) {
                               *found = std::move(results);
                               done(ec);
                             });
    });
    if (!error)
      error = await(limits_.connect_timeout_ms, [&](auto done) {
        stream_->async_connect(*found, [done](error_code ec, const tcp::endpoint&) { done(ec); });
      });
    return error;
  }

  error_code write(const http_request& request, body_source& body, const progress& sent) {
    http::request<http::empty_body> head;
    head.method_string(request.method);
    head.target(server_.base + request.target);
    head.version(11);
    head.set(http::field::host, server_.authority());
    head.set(http::field::user_agent, "dim");
    head.set(http::field::accept, "application/json");
    for (const auto& [name, text] : request.headers)
      head.set(name, text);
    if (request.method != "GET" && request.method != "DELETE")
      head.content_length(body.size());
    http::request_serializer<http::empty_body> serializer{head};
    auto error = await(limits_.stall_timeout_ms, [&](auto done) {
      http::async_write_header(*stream_, serializer,
                               [done](error_code ec, std::size_t) { done(ec); });
    });
    for (std::uint64_t offset = 0; !error && offset < body.size();) {
      const auto piece = body.piece(offset);
      if (piece.empty())
        return make_error_code(boost::system::errc::io_error);
      error = await(limits_.stall_timeout_ms, [&](auto done) {
        asio::async_write(*stream_, asio::buffer(piece.data(), piece.size()),
                          [done](error_code ec, std::size_t) { done(ec); });
      });
      offset += piece.size();
      if (!error && sent)
        sent(offset, body.size());
    }
    return error;
  }

  tl::expected<http_answer, no_answer> read(const http_request& request) {
    http::response_parser<http::string_body> parser;
    parser.body_limit(limits_.answer_bytes_max);
    auto error = await(limits_.reply_timeout_ms + request.wait_ms, [&](auto done) {
      http::async_read(*stream_, buffer_, parser,
                       [done](error_code ec, std::size_t) { done(ec); });
    });
    if (error)
      return broken("no answer from " + server_.authority(), error);
    http_answer answer{parser.get().result_int(), {}, std::move(parser.get().body())};
    for (const auto& field : parser.get()) {
      auto name = std::string{field.name_string()};
      std::transform(name.begin(), name.end(), name.begin(),
                     [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      answer.headers[name] = std::string{field.value()};
    }
    if (!parser.get().keep_alive())
      stream_.reset();
    return answer;
  }

  /// Starts one operation and waits for its end, at most `limit_ms`.
  template <class Start>
  error_code await(std::uint32_t limit_ms, Start start) {
    auto result = std::make_shared<std::optional<error_code>>();
    stream_->expires_after(milliseconds{limit_ms});
    start([result](error_code error) { *result = error; });
    io_.restart();
    // The stream ends its operations itself at the limit; what is not one of its own is left alone.
    io_.run_for(milliseconds{limit_ms} + grace);
    return result->value_or(error_code{beast::error::timeout});
  }

  tl::unexpected<no_answer> broken(const std::string& what, const error_code& error) {
    stream_.reset();
    return tl::unexpected<no_answer>({what + ": " + text_of(error)});
  }

  address server_;
  client_limits limits_;
  asio::io_context io_;
  std::optional<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
};

http_client::http_client(address server, client_limits limits)
  : connection_(std::make_unique<connection>(std::move(server), limits)) {
}

http_client::~http_client() = default;
http_client::http_client(http_client&&) noexcept = default;
http_client& http_client::operator=(http_client&&) noexcept = default;

tl::expected<http_answer, no_answer> http_client::send(const http_request& request,
                                                       const progress& sent) {
  return connection_->send(request, sent);
}

const address& http_client::server() const noexcept {
  return connection_->server();
}

}  // namespace dim::tools
