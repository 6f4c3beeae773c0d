#include "runtime/channel_listener.hpp"

#include <atomic>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

#include "runtime/spin_wait.hpp"
#include "runtime/system.hpp"
#include "runtime/thread_binding.hpp"

namespace dim::runtime {

struct channel_listener::shared_state {
  bool has_news() const noexcept {
    auto is_blocked = is_unwritten.load();
    return (is_blocked && channel->outgoing().has_room())
           || (!(is_blocked && thread.writes_first) && channel->incoming().has_input());
  }

  std::shared_ptr<shared_channel> channel;
  std::function<void()> tell;
  listener_thread thread;
  std::atomic<bool> is_stopped{false};
  /// The actor has been told, and has not looked since.
  std::atomic<bool> is_told{false};
  std::atomic<bool> is_unwritten{false};
};

channel_listener::channel_listener(caf::actor_system& system,
                                   std::shared_ptr<shared_channel> channel,
                                   std::function<void()> tell, listener_thread thread)
  : state_(std::make_shared<shared_state>()) {
  state_->channel = std::move(channel);
  state_->tell = std::move(tell);
  state_->thread = std::move(thread);
  unbound_scope everywhere;
  // Until the thread has ended, the system does not.
  system.inc_detached_threads();
  try {
    std::thread{[&system, state = state_]() mutable {
      listen(system, *state);
      state.reset();
      system.dec_detached_threads();
    }}.detach();
  } catch (const std::system_error&) {
    system.dec_detached_threads();
    throw;
  }
}

channel_listener::~channel_listener() {
  state_->is_stopped = true;
  state_->channel->ring_self();
}

void channel_listener::note_heard() noexcept {
  state_->is_told = false;
}

void channel_listener::note_unwritten(bool is_left) noexcept {
  state_->is_unwritten = is_left;
}

void channel_listener::listen(caf::actor_system& system, shared_state& state) {
  // On cores that are not there any more it runs as well, anywhere.
  if (!state.thread.cores.empty())
    std::ignore = bind_this_thread(state.thread.cores);
  auto& shared = context_of(system);
  auto& lane = shared.lanes.take(system);
  lane.enter({});
  spin_wait waiting{shared.spin_limit, shared.traffic};
  auto& incoming = state.channel->incoming();
  while (!state.is_stopped) {
    incoming.expect_no_input();
    if (state.thread.looks_under_load || shared.traffic.is_calm())
      waiting.look([&state] { return state.has_news() || state.is_stopped; });
    incoming.expect_input();
    // News that the actor has been told of and has not looked at yet are none: it will see them.
    if (state.has_news() && !state.is_told.exchange(true)) {
      state.tell();
      lane.run();
      while (!state.has_news() && shared.spare.help())
        lane.run();
    } else if (!state.is_stopped) {
      state.channel->wait();
    }
  }
  lane.leave();
  shared.lanes.give_back(lane);
}

}  // namespace dim::runtime
