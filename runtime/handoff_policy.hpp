#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>

#include <caf/policy/unprofiled.hpp>
#include <caf/resumable.hpp>

namespace dim::runtime {

/// How the threads of the scheduler share work: as CAF's `work_sharing`, one queue for all, but an
/// actor that was woken by the one that runs now is next on the same thread. A message that goes
/// through a row of actors then wakes one thread, not one a step; waking a thread costs 30 to 50
/// microseconds, a step some hundred nanoseconds.
///
/// A thread keeps at most `kept_max` actors to itself, and looks at the shared queue after every
/// `turns_max` of them: work is neither held back from idle threads for long, nor starved by actors
/// that keep waking each other.
class handoff_policy : public caf::policy::unprofiled {
public:
  static constexpr std::size_t kept_max = 2;
  static constexpr std::size_t turns_max = 16;

  struct coordinator_data {
    template <class Coordinator>
    explicit coordinator_data(Coordinator*) {
    }

    std::deque<caf::resumable*> queue;
    std::size_t sleepers = 0;
    std::mutex lock;
    std::condition_variable has_work;
  };

  struct worker_data {
    template <class Coordinator>
    explicit worker_data(Coordinator*) {
    }

    std::array<caf::resumable*, kept_max> kept{};
    std::size_t first = 0;
    std::size_t count = 0;
    std::size_t turns = 0;
  };

  template <class Coordinator>
  void central_enqueue(Coordinator* self, caf::resumable* job) {
    auto& shared = d(self);
    bool someone_sleeps = false;
    {
      std::lock_guard guard{shared.lock};
      shared.queue.push_back(job);
      someone_sleeps = shared.sleepers > 0;
    }
    if (someone_sleeps)
      shared.has_work.notify_one();
  }

  template <class Worker>
  void external_enqueue(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  void internal_enqueue(Worker* self, caf::resumable* job) {
    auto& mine = d(self);
    if (mine.count == kept_max)
      return central_enqueue(self->parent(), job);
    mine.kept[(mine.first + mine.count) % kept_max] = job;
    ++mine.count;
  }

  /// It has used up its turn: all others come first.
  template <class Worker>
  void resume_job_later(Worker* self, caf::resumable* job) {
    central_enqueue(self->parent(), job);
  }

  template <class Worker>
  caf::resumable* dequeue(Worker* self) {
    auto& mine = d(self);
    if (mine.count > 0 && mine.turns < turns_max) {
      ++mine.turns;
      return take_kept(mine);
    }
    mine.turns = 0;
    auto& shared = d(self->parent());
    std::unique_lock guard{shared.lock};
    if (shared.queue.empty() && mine.count > 0)
      return take_kept(mine);
    while (shared.queue.empty()) {
      ++shared.sleepers;
      shared.has_work.wait(guard);
      --shared.sleepers;
    }
    auto* job = shared.queue.front();
    shared.queue.pop_front();
    return job;
  }

  /// Gives back what the thread has kept: it ends.
  template <class Worker>
  void before_shutdown(Worker* self) {
    auto& mine = d(self);
    while (mine.count > 0)
      central_enqueue(self->parent(), take_kept(mine));
  }

  template <class Worker, class Function>
  void foreach_resumable(Worker* self, Function visit) {
    auto& mine = d(self);
    while (mine.count > 0)
      visit(take_kept(mine));
  }

  template <class Coordinator, class Function>
  void foreach_central_resumable(Coordinator* self, Function visit) {
    auto& shared = d(self);
    std::lock_guard guard{shared.lock};
    while (!shared.queue.empty()) {
      auto* job = shared.queue.front();
      shared.queue.pop_front();
      visit(job);
    }
  }

private:
  static caf::resumable* take_kept(worker_data& mine) {
    auto* job = mine.kept[mine.first];
    mine.first = (mine.first + 1) % kept_max;
    --mine.count;
    return job;
  }
};

}  // namespace dim::runtime
