#include "runtime/actor_lane.hpp"

#include <algorithm>
#include <utility>

namespace dim::runtime {

namespace {

thread_local actor_lane* lane_of_thread = nullptr;

}  // namespace

void actor_lane::enter(std::function<void()> due, const caf::execution_unit* stands_for) {
  due_ = std::move(due);
  stands_for_ = stands_for;
  is_due_ = false;
  lane_of_thread = this;
}

void actor_lane::leave() {
  hand_over();
  due_ = nullptr;
  lane_of_thread = nullptr;
}

actor_lane* actor_lane::of_this_thread() noexcept {
  return lane_of_thread;
}

void actor_lane::exec_later(caf::resumable* job) {
  if (lane_of_thread != this)
    return system().scheduler().enqueue(job);
  waiting_.push_back(job);
  if (!std::exchange(is_due_, true) && due_)
    due_();
}

void actor_lane::run() {
  is_due_ = true;
  for (std::size_t turn = 0; turn < turns_max && !waiting_.empty(); ++turn) {
    auto* job = waiting_.front();
    waiting_.pop_front();
    switch (job->resume(this, messages_max)) {
      case caf::resumable::resume_later:
        waiting_.push_back(job);
        break;
      default:
        caf::intrusive_ptr_release(job);
    }
  }
  hand_over();
  is_due_ = false;
}

void actor_lane::hand_over() {
  while (!waiting_.empty()) {
    auto* job = waiting_.front();
    waiting_.pop_front();
    system().scheduler().enqueue(job);
  }
}

actor_lane& lane_pool::take(caf::actor_system& system) {
  std::lock_guard guard{mutex_};
  if (free_.empty()) {
    all_.push_back(std::make_unique<actor_lane>(system));
    return *all_.back();
  }
  auto* lane = free_.back();
  free_.pop_back();
  return *lane;
}

void lane_pool::give_back(actor_lane& lane) {
  std::lock_guard guard{mutex_};
  free_.push_back(&lane);
}

}  // namespace dim::runtime
