#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>

#include "actors/store/database.hpp"
#include "actors/store/interface.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/metrics.hpp"

namespace dim::actors {

struct event_log_arguments {
  database_pointer database;
  /// Events kept in memory.
  std::uint32_t tail_max = 10'000;
};

/// Keeps the last events in memory, in the order of their numbers.
///
/// The tail is loaded at the start; STORE adds to it after each commit. Whoever asks for older
/// events gets them from the database. The tail may begin anywhere, but has no gap: should one
/// appear (EVENTS was restarted while STORE committed), it is loaded anew.
struct event_log_state {
  static inline const char* name = "EVENTS";
  using self_pointer = runtime::actor_self<events_actor, event_log_state>;

  void initialise(event_log_arguments values);
  void append(events_committed& news);
  /// From the tail when it reaches back far enough, else from the database. What can not be read is
  /// left out: the reply never is a failure.
  event_list read(const read_events& request) const;
  std::string describe() const;

private:
  void load_tail();
  void count(const std::string& topic);

  event_log_arguments arguments;
  std::deque<event> tail;
  /// By topic.
  std::map<std::string, runtime::counter> counts;
};

/// EVENTS, started detached by the root supervisor.
events_actor::behavior_type event_log(event_log_state::self_pointer self,
                                      event_log_arguments arguments);

}  // namespace dim::actors
