#pragma once

#include <stdexcept>

#include <doctest/doctest.h>

#include "tests/actors/agent_support.hpp"

/// Requests that come in one message, and what their asker is told.
namespace dim::tests {

using actors::infer_group;
using actors::infer_results;
using runtime::error_code;

/// What an asker was told, message by message, and whether the reply was among them.
struct told_answers {
  std::vector<infer_results> messages;
  bool has_reply = false;
  std::optional<runtime::failure> error;

  std::size_t count() const {
    std::size_t answers = 0;
    for (auto& each : messages)
      answers += each.answers.size();
    return answers;
  }
  const actors::infer_result& answer(std::uint64_t number) const {
    for (auto& message : messages)
      for (auto& each : message.answers)
        if (each.number == number)
          return each.result;
    FAIL("no answer to the request");
    throw std::logic_error{"a failed check ends the test"};
  }
  error_code code_of(std::uint64_t number) const {
    return answer(number).error.code;
  }
};
using told_pointer = std::shared_ptr<told_answers>;

template <class Handle, class Request>
told_pointer ask_for_group(actor_fixture& fixture, const Handle& to, Request content) {
  auto told = std::make_shared<told_answers>();
  using self_pointer = runtime::actor_self<caf::actor, fake_worker_state>;
  fixture.sys().spawn([told, to, content](self_pointer self) -> caf::behavior {
    self->request(to, caf::infinite, content)
      .then(
        [told](infer_results& x) {
          told->messages.push_back(std::move(x));
          told->has_reply = true;
        },
        [told](caf::error& x) { told->error = runtime::to_failure(x); });
    return {[told](infer_results& x) { told->messages.push_back(std::move(x)); }};
  });
  fixture.run();
  return told;
}

/// Direct requests with the numbers 1, 2, ...
inline infer_group group_of(std::size_t count, std::uint64_t time_left_ms = 60'000) {
  infer_group group;
  for (std::size_t index = 1; index <= count; ++index) {
    auto request = infer_of("r" + std::to_string(index), pairs(), time_left_ms);
    request.direct = true;
    group.requests.push_back({index, std::move(request)});
  }
  return group;
}

}  // namespace dim::tests
