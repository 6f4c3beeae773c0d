#include "tests/simulation/coordinator.hpp"

#include <algorithm>
#include <utility>

namespace dim::simulation {

coordinator::coordinator(caf::actor_system& system)
  : caf::scheduler::test_coordinator(system), unit_(&system, this) {
}

caf::actor_system::module* coordinator::make(caf::actor_system& system,
                                             caf::detail::type_list<>) {
  return new coordinator(system);
}

bool coordinator::is_frozen(host_id host) const noexcept {
  return std::find(frozen_.begin(), frozen_.end(), host) != frozen_.end();
}

void coordinator::enqueue(caf::resumable* what) {
  auto& actor = static_cast<caf::scheduled_actor&>(*what);
  auto id = actor.id();
  if (id >= homes_.size())
    homes_.resize(id + 1, no_host);
  if (homes_[id] == no_host)
    homes_[id] = current;
  auto host = homes_[id];
  (frozen_.empty() || !is_frozen(host) ? ready_ : parked_).push_back({what, host});
}

caf::scheduled_actor& coordinator::peek(std::size_t index) const {
  return static_cast<caf::scheduled_actor&>(*ready_[index].what);
}

void coordinator::run(std::size_t index) {
  auto next = ready_[index];
  ready_[index] = ready_.back();
  ready_.pop_back();
  auto before = std::exchange(current, next.host);
  switch (next.what->resume(&unit_, 1)) {
    case caf::resumable::resume_later:
      enqueue(next.what);
      break;
    case caf::resumable::done:
    case caf::resumable::awaiting_message:
      caf::intrusive_ptr_release(next.what);
      break;
    case caf::resumable::shutdown_execution_unit:
      break;
  }
  current = before;
}

void coordinator::freeze(host_id host) {
  if (is_frozen(host))
    return;
  frozen_.push_back(host);
  auto first = std::stable_partition(ready_.begin(), ready_.end(),
                                     [host](const job& one) { return one.host != host; });
  parked_.insert(parked_.end(), first, ready_.end());
  ready_.erase(first, ready_.end());
}

void coordinator::thaw(host_id host) {
  std::erase(frozen_, host);
  auto first = std::stable_partition(parked_.begin(), parked_.end(),
                                     [host](const job& one) { return one.host != host; });
  ready_.insert(ready_.end(), first, parked_.end());
  parked_.erase(first, parked_.end());
}

void coordinator::forget(host_id host) {
  for (auto* list : {&ready_, &parked_}) {
    auto first = std::stable_partition(list->begin(), list->end(),
                                       [host](const job& one) { return one.host != host; });
    for (auto one = first; one != list->end(); ++one)
      caf::intrusive_ptr_release(one->what);
    list->erase(first, list->end());
  }
}

void coordinator::stop() {
  for (auto host : std::exchange(frozen_, {}))
    thaw(host);
  while (!ready_.empty())
    run(ready_.size() - 1);
}

}  // namespace dim::simulation
