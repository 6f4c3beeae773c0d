#pragma once

#include <memory>
#include <vector>

#include "runtime/many_sends.hpp"
#include "runtime/spin_wait.hpp"

namespace dim::gateway {

class http_session;

/// The answers that an HTTP thread has to send in one round of its event loop, under load: they go
/// out together at its end (`runtime::many_sends`).
class answer_round {
public:
  answer_round();
  /// The thread has none any more.
  ~answer_round();
  answer_round(const answer_round&) = delete;
  answer_round& operator=(const answer_round&) = delete;

  /// That of the calling thread; null when it has none.
  static answer_round* of_this_thread() noexcept;

  /// Whether requests and answers are kept for the round's end: with much to do, and then up to the
  /// end, so that nobody who comes in a calm moment gets past those who are kept.
  bool keeps(const runtime::traffic& traffic) noexcept {
    return is_keeping_ = is_keeping_ || !traffic.is_calm();
  }
  void end() noexcept {
    is_keeping_ = false;
  }

  /// A session that has an answer to write (`http_session::unsent`).
  void add(std::shared_ptr<http_session> session) {
    sessions_.push_back(std::move(session));
  }

  /// Sends what has been added. In no session's turn.
  void send_all();

private:
  void send_these(const std::vector<std::shared_ptr<http_session>>& sessions);

  bool is_keeping_ = false;
  runtime::many_sends sends_;
  std::vector<std::shared_ptr<http_session>> sessions_;
  std::vector<runtime::socket_send> orders_;
  std::vector<http_session*> by_address_;
};

}  // namespace dim::gateway
