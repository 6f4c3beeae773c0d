#include "actors/agent/channel.hpp"

#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/caf_errors.hpp"

namespace dim::actors {

namespace {

using runtime::error_code;

/// Hands the reply to who asked; false when it is none to that question.
template <class Reply>
bool deliver(caf::typed_response_promise<Reply>& to, inference_reply& reply) {
  if (auto* failed = std::get_if<runtime::failure>(&reply))
    to.deliver(runtime::to_error(*failed));
  else if (auto* good = std::get_if<Reply>(&reply))
    to.deliver(std::move(*good));
  else
    return false;
  return true;
}

}  // namespace

void channel_state::begin(channel_arguments arguments) {
  label = std::move(arguments.label);
  // Weak: the thread does not keep this actor.
  auto tell = [address = caf::actor_addr{self->address()}] {
    if (auto me = caf::actor_cast<caf::strong_actor_ptr>(address))
      runtime::send_from_thread(caf::actor_cast<channel_actor>(me), channel_rung{});
  };
  end.emplace(self->home_system(), std::move(arguments.channel), std::move(tell),
              runtime::listener_thread{std::move(arguments.cores)});
}

channel_state::~channel_state() {
  give_up("the channel to the agent process is closed");
}

template <class Reply, class Question>
caf::typed_response_promise<Reply> channel_state::ask(Question& question) {
  auto asked = self->make_response_promise<Reply>();
  if (broken.code != error_code::none) {
    asked.deliver(runtime::to_error(broken));
    return asked;
  }
  auto number = ++last_number;
  waiting.emplace_hint(waiting.end(), number, asked);
  end->send(to_frame(self->home_system(), number, inference_question{std::move(question)}));
  return asked;
}

void channel_state::look() {
  // A channel that is broken is not listened to any more.
  if (broken.code != error_code::none)
    return;
  end->hear();
  while (broken.code == error_code::none) {
    auto frame = end->next();
    if (!frame)
      return give_up(frame.error().message);
    if (!*frame)
      return;
    take(std::move(**frame));
  }
}

void channel_state::take(runtime::channel_frame frame) {
  auto found = waiting.find(frame.number);
  auto reply = reply_of(self->home_system(), std::move(frame));
  if (!reply)
    return give_up(reply.error().message);
  if (found == waiting.end())
    return give_up("the agent process answered what nobody asked");
  if (!std::visit([&](auto& to) { return deliver(to, *reply); }, found->second))
    return give_up("the agent process answered something else than was asked");
  waiting.erase(found);
}

void channel_state::give_up(const std::string& reason) {
  broken = {error_code::protocol_mismatch, reason, {}};
  for (auto& [number, asked] : std::exchange(waiting, {}))
    std::visit([&](auto& to) { to.deliver(runtime::to_error(broken)); }, asked);
}

std::string channel_state::describe() const {
  return label + ", waiting " + std::to_string(waiting.size()) + ", asked "
         + std::to_string(last_number)
         + (broken.code != error_code::none ? ", broken: " + broken.message : "");
}

channel_actor::behavior_type channel(channel_state::self_pointer self,
                                     channel_arguments arguments) {
  auto& state = self->state;
  state.begin(std::move(arguments));
  return {
    [&state](load_model& question) { return state.ask<model_loaded>(question); },
    [&state](run_batch& question) { return state.ask<batch_result>(question); },
    [&state](channel_rung) { state.look(); },
  };
}

}  // namespace dim::actors
