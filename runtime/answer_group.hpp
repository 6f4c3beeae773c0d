#pragma once

#include <cstddef>
#include <memory>
#include <utility>
#include <vector>

#include <caf/actor_control_block.hpp>
#include <caf/message.hpp>
#include <caf/typed_response_promise.hpp>

namespace dim::runtime {

/// Large answers do not travel together: other messages would wait behind them.
inline constexpr std::size_t answer_bytes_max = 256 << 10;

/// Sends answers that are there already, ahead of the reply, to whoever asked for them, in the name
/// of `self`.
template <class Self, class Answers>
void send_ahead(Self& self, const caf::strong_actor_ptr& asker, Answers answers) {
  if (asker)
    asker->enqueue(self.ctrl(), caf::make_message_id(), caf::make_message(std::move(answers)),
                   self.context());
}

/// The answers that an actor owes for one message that asks for several things. Those that are
/// there together travel together: the last ones as the reply to the message, any that are there
/// before them as messages of the same type, ahead of the reply. A message carries no more than
/// `answer_bytes_max`, or one answer. A group that is dropped replies with what it has: whoever
/// asked knows by the reply that nothing more comes.
///
/// `Answers` is a message with a member `std::vector<...> answers`.
template <class Answers>
class answer_group {
public:
  using promise_type = caf::typed_response_promise<Answers>;
  using answer_type = typename decltype(Answers::answers)::value_type;

  /// In the handler of the message: `count` answers are owed, at least one.
  template <class Self>
  answer_group(Self& self, std::size_t count)
    : asker_(self.current_sender()), owed_(count) {
    // After the asker: the promise takes the sender out of the message.
    promise_ = self.template make_response_promise<Answers>();
  }

  ~answer_group() {
    if (owed_ > 0)
      promise_.deliver(std::move(ready_));
  }
  answer_group(const answer_group&) = delete;
  answer_group& operator=(const answer_group&) = delete;

  /// What the handler returns.
  const promise_type& promise() const noexcept {
    return promise_;
  }

  /// At most as often as answers are owed; `bytes` is what the answer carries. Whether this was the
  /// last: then the reply has been sent, in the name of `self` what did not fit in.
  template <class Self>
  bool add(Self& self, answer_type answer, std::size_t bytes) {
    if (ready_bytes_ + bytes > answer_bytes_max)
      send_ready(self);
    ready_bytes_ += bytes;
    return add(std::move(answer));
  }

  /// The same whatever it carries, where no message can be sent: at the end of its actor.
  bool add(answer_type answer) {
    ready_.answers.push_back(std::move(answer));
    if (--owed_ > 0)
      return false;
    promise_.deliver(std::move(ready_));
    return true;
  }

  /// Sends what is ready ahead of the reply, in the name of `self`.
  template <class Self>
  void send_ready(Self& self) {
    if (owed_ == 0 || ready_.answers.empty() || !asker_)
      return;
    ready_bytes_ = 0;
    send_ahead(self, asker_, std::exchange(ready_, {}));
  }

private:
  caf::strong_actor_ptr asker_;
  promise_type promise_;
  std::size_t owed_;
  Answers ready_;
  std::size_t ready_bytes_ = 0;
};

/// The groups of one actor that have answers ahead of their reply, until these are sent.
template <class Answers>
class ready_answers {
public:
  using group_pointer = std::shared_ptr<answer_group<Answers>>;

  /// Whether `send` is to be called, soon: the group has something ready, and is not complete.
  template <class Self>
  bool add(Self& self, const group_pointer& group,
           typename answer_group<Answers>::answer_type answer, std::size_t bytes) {
    if (group->add(self, std::move(answer), bytes))
      return false;
    if (groups_.empty() || groups_.back() != group)
      groups_.push_back(group);
    return true;
  }

  template <class Self>
  void send(Self& self) {
    for (auto& each : std::exchange(groups_, {}))
      each->send_ready(self);
  }

private:
  std::vector<group_pointer> groups_;
};

}  // namespace dim::runtime
