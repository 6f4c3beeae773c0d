#include "tests/tools/fake_gateway.hpp"

#include <algorithm>
#include <mutex>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

namespace dim::tests {

namespace beast = boost::beast;
namespace http = beast::http;
using tcp = boost::asio::ip::tcp;

namespace {

seen_request seen(const http::request<http::string_body>& request) {
  seen_request result{std::string{request.method_string()}, std::string{request.target()}, {},
                      request.body()};
  for (const auto& field : request) {
    std::string name{field.name_string()};
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    result.headers[name] = std::string{field.value()};
  }
  return result;
}

http::response<http::string_body> response_of(const scripted_answer& answer) {
  http::response<http::string_body> result;
  result.result(answer.status);
  result.set(http::field::content_type, "application/json");
  for (const auto& [name, value] : answer.headers)
    result.set(name, value);
  result.body() = answer.body;
  result.prepare_payload();
  return result;
}

}  // namespace

/// Serves one connection after the other on a thread of its own.
class fake_gateway::server {
public:
  explicit server(script answers)
    : answers_(std::move(answers)),
      acceptor_(io_, tcp::endpoint{boost::asio::ip::address_v4::loopback(), 0}),
      port_(acceptor_.local_endpoint().port()), thread_([this] { serve(); }) {
  }

  ~server() {
    {
      std::lock_guard lock{mutex_};
      is_stopping_ = true;
      if (current_)
        shut_down(*current_);
    }
    // Wakes the thread where it waits for a connection.
    boost::asio::io_context io;
    tcp::socket last{io};
    beast::error_code ignored;
    last.connect({boost::asio::ip::address_v4::loopback(), port_}, ignored);
    thread_.join();
  }

  std::uint16_t port() const {
    return port_;
  }

  std::vector<seen_request> requests() const {
    std::lock_guard lock{mutex_};
    return requests_;
  }

private:
  static void shut_down(tcp::socket& socket) {
    beast::error_code ignored;
    socket.shutdown(tcp::socket::shutdown_both, ignored);
  }

  void serve() {
    for (;;) {
      tcp::socket socket{io_};
      beast::error_code error;
      acceptor_.accept(socket, error);
      if (!enter(socket))
        return;
      while (!error && serve_request(socket, error)) {
      }
      std::lock_guard lock{mutex_};
      current_ = nullptr;
    }
  }

  bool enter(tcp::socket& socket) {
    std::lock_guard lock{mutex_};
    current_ = &socket;
    return !is_stopping_;
  }

  bool serve_request(tcp::socket& socket, beast::error_code& error) {
    beast::flat_buffer buffer;
    http::request_parser<http::string_body> parser;
    parser.body_limit(64 << 20);
    http::read(socket, buffer, parser, error);
    if (error)
      return false;
    const auto request = seen(parser.get());
    std::size_t before = 0;
    {
      std::lock_guard lock{mutex_};
      before = requests_.size();
      requests_.push_back(request);
    }
    const auto answer = answers_(request, before);
    if (answer.what == scripted_answer::kind::close)
      return false;
    if (answer.what == scripted_answer::kind::reply)
      http::write(socket, response_of(answer), error);
    return !error;
  }

  script answers_;
  boost::asio::io_context io_;
  tcp::acceptor acceptor_;
  std::uint16_t port_;
  mutable std::mutex mutex_;
  std::vector<seen_request> requests_;
  tcp::socket* current_ = nullptr;
  bool is_stopping_ = false;
  std::thread thread_;
};

fake_gateway::fake_gateway(script answers) : server_(std::make_unique<server>(std::move(answers))) {
}

fake_gateway::~fake_gateway() = default;

std::string fake_gateway::url() const {
  return "http://127.0.0.1:" + std::to_string(server_->port());
}

std::uint16_t fake_gateway::port() const {
  return server_->port();
}

std::vector<seen_request> fake_gateway::requests() const {
  return server_->requests();
}

}  // namespace dim::tests
