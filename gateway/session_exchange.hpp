#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "gateway/exchange.hpp"

namespace dim::gateway {

class http_session;

/// The exchange of one request of a session.
class session_exchange : public exchange {
public:
  session_exchange(std::shared_ptr<http_session> session, http_request request);
  /// Answers 500 if nobody else has answered.
  ~session_exchange() override;

  const http_request& request() const override {
    return request_;
  }
  void reply(http_reply answer) override;
  void post(std::function<void()> task) override;
  void watch(std::function<void()> gone) override;
  void read_block(block_callback done) override;

private:
  std::shared_ptr<http_session> session_;
  http_request request_;
  std::atomic_flag replied_;
};

}  // namespace dim::gateway
