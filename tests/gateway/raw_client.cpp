#include "tests/gateway/raw_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include <doctest/doctest.h>

#include "tests/gateway/exchange_record.hpp"

namespace dim::tests {

namespace {

constexpr int wait_ms = 20'000;

std::string lower_case(std::string text) {
  for (auto& c : text)
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::map<std::string, std::string> headers_of(std::string_view head) {
  std::map<std::string, std::string> result;
  auto at = head.find("\r\n");
  while (at != std::string_view::npos && at + 2 < head.size()) {
    auto end = head.find("\r\n", at + 2);
    auto line = head.substr(at + 2, end - at - 2);
    auto colon = line.find(':');
    if (colon != std::string_view::npos) {
      auto value = line.substr(colon + 1);
      value.remove_prefix(std::min(value.find_first_not_of(' '), value.size()));
      result[lower_case(std::string{line.substr(0, colon)})] = value;
    }
    at = end;
  }
  return result;
}

bool wait_for(int socket, short event, int milliseconds) {
  pollfd one{socket, event, 0};
  return ::poll(&one, 1, milliseconds) == 1;
}

}  // namespace

raw_client::raw_client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
  REQUIRE(socket_ >= 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
}

raw_client::~raw_client() {
  close();
}

bool raw_client::send(std::string_view text) {
  sent_ += text.substr(0, recorded_request_max - std::min(sent_.size(), recorded_request_max));
  while (!text.empty()) {
    auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

std::size_t raw_client::send_some(std::string_view text) {
  auto sent = ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  return sent > 0 ? static_cast<std::size_t>(sent) : 0;
}

bool raw_client::wait_writable(int milliseconds) {
  return wait_for(socket_, POLLOUT, milliseconds);
}

void raw_client::finish_sending() {
  ::shutdown(socket_, SHUT_WR);
}

void raw_client::close() {
  if (socket_ >= 0)
    ::close(socket_);
  socket_ = -1;
}

bool raw_client::receive() {
  REQUIRE_MESSAGE(wait_for(socket_, POLLIN, wait_ms), "nothing came in time");
  char buffer[64 << 10];
  auto count = ::recv(socket_, buffer, sizeof buffer, 0);
  if (count <= 0)
    return false;
  received_.append(buffer, static_cast<std::size_t>(count));
  return true;
}

std::optional<raw_reply> raw_client::read(bool has_body) {
  std::size_t head_end = 0;
  while ((head_end = received_.find("\r\n\r\n")) == std::string::npos)
    if (!receive())
      return std::nullopt;
  auto head = received_.substr(0, head_end + 2);
  received_.erase(0, head_end + 4);
  raw_reply reply;
  REQUIRE(head.size() > 12);
  reply.status = std::stoi(head.substr(9, 3));
  reply.headers = headers_of(head);
  if (reply.status == 100)
    return reply;
  auto request = std::exchange(sent_, {});
  if (!has_body)
    return reply;
  auto length = reply.status == 204 ? 0 : std::stoull(reply.headers.at("content-length"));
  while (received_.size() < length)
    if (!receive())
      return std::nullopt;
  reply.body = received_.substr(0, length);
  received_.erase(0, length);
  record_exchange(request, reply);
  return reply;
}

raw_reply raw_client::ask(std::string_view text) {
  REQUIRE(send(text));
  auto reply = read();
  REQUIRE(reply);
  return *reply;
}

bool raw_client::is_closed() {
  return received_.empty() && !receive();
}

std::string raw_client::peek() {
  while (wait_for(socket_, POLLIN, 0))
    if (!receive())
      break;
  return received_;
}

std::string request_text(std::string_view method, std::string_view target, std::string_view body,
                         std::string_view more_headers) {
  std::string text{method};
  text += ' ';
  text += target;
  text += " HTTP/1.1\r\nHost: test\r\n";
  text += more_headers;
  if (!body.empty())
    text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  text += "\r\n";
  text += body;
  return text;
}

}  // namespace dim::tests
