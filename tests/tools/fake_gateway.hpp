#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace dim::tests {

/// A request as the fake gateway got it.
struct seen_request {
  std::string method;
  std::string target;
  /// Names in lower case.
  std::map<std::string, std::string> headers;
  std::string body;
};

/// What the fake gateway does with a request.
struct scripted_answer {
  enum class kind { reply, close, silence } what = kind::reply;
  unsigned status = 200;
  std::string body = "{}";
  std::map<std::string, std::string> headers = {};

  /// Closes the connection without an answer.
  static scripted_answer closed() {
    return {kind::close};
  }
  /// Keeps the connection open and says nothing.
  static scripted_answer silent() {
    return {kind::silence};
  }
};

/// An HTTP server on a free loopback port, over real sockets, that answers what it is told to.
class fake_gateway {
public:
  /// Called for each request, one after the other, with how many came before it.
  using script = std::function<scripted_answer(const seen_request&, std::size_t)>;

  explicit fake_gateway(script answers);
  ~fake_gateway();

  std::string url() const;
  std::uint16_t port() const;

  /// All requests so far.
  std::vector<seen_request> requests() const;

private:
  class server;
  std::unique_ptr<server> server_;
};

}  // namespace dim::tests
