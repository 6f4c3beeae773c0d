#include "gateway/answer_round.hpp"

#include <algorithm>
#include <utility>

#include "gateway/http_session.hpp"

namespace dim::gateway {

namespace {

thread_local answer_round* round_of_thread = nullptr;

}  // namespace

answer_round::answer_round() {
  round_of_thread = this;
}

answer_round::~answer_round() {
  round_of_thread = nullptr;
}

answer_round* answer_round::of_this_thread() noexcept {
  return round_of_thread;
}

void answer_round::send_all() {
  // What sessions do after their answer may have another one ready.
  while (!sessions_.empty())
    send_these(std::exchange(sessions_, {}));
}

void answer_round::send_these(const std::vector<std::shared_ptr<http_session>>& sessions) {
  // They go out in the order in which they came: else the same clients would always be first.
  // Each session's turn is held from the look at its socket until its bytes are gone, so that no
  // other thread closes the socket meanwhile, and none gets its number. Whoever holds several takes
  // them in the order of their addresses.
  by_address_.clear();
  for (auto& each : sessions)
    by_address_.push_back(each.get());
  std::sort(by_address_.begin(), by_address_.end());
  std::vector<http_session::held_turn> turns;
  turns.reserve(sessions.size());
  for (auto* each : by_address_)
    turns.emplace_back(*each);
  orders_.clear();
  for (auto& each : sessions)
    orders_.push_back(each->unsent());
  sends_.send(orders_);
  for (std::size_t place = 0; place < sessions.size(); ++place)
    if (orders_[place].socket >= 0)
      sessions[place]->note_sent(orders_[place].result);
  for (auto& each : turns)
    each.end();
  for (auto& each : turns)
    each.call();
}

}  // namespace dim::gateway
