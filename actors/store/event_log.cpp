#include "actors/store/event_log.hpp"

#include <algorithm>

#include "actors/store/job_reader.hpp"
#include "runtime/log.hpp"

namespace dim::actors {

namespace {

/// Events in one reply at the most.
constexpr std::uint32_t read_max = 10'000;

event_list load(const database_pointer& database, std::uint64_t after, std::uint32_t max) {
  auto snapshot = database->read();
  auto stored = snapshot ? read_events_after(*snapshot, after, max)
                         : runtime::expected<event_list>{tl::unexpected(snapshot.error())};
  if (stored)
    return std::move(*stored);
  runtime::log(runtime::log_level::error, event_log_state::name, "could not read events",
               {{"reason", stored.error().message}});
  return {};
}

std::uint64_t last_number(const database_pointer& database) {
  auto snapshot = database->read();
  if (!snapshot)
    return 0;
  return read_last_event(*snapshot).value_or(0);
}

}  // namespace

void event_log_state::initialise(event_log_arguments values) {
  arguments = std::move(values);
  for (auto* topic : {topic_jobs, topic_nodes, topic_results})
    counts.emplace(topic, counter_of(runtime::metric::events, {topic}));
  load_tail();
}

void event_log_state::load_tail() {
  const auto last = last_number(arguments.database);
  const std::uint64_t after = last - std::min<std::uint64_t>(last, arguments.tail_max);
  auto stored = load(arguments.database, after, arguments.tail_max);
  tail.assign(std::make_move_iterator(stored.events.begin()),
              std::make_move_iterator(stored.events.end()));
}

void event_log_state::append(events_committed& news) {
  for (auto& fact : news.events)
    count(fact.topic);
  for (auto& fact : news.events) {
    // What came while the tail was loaded may be in it already.
    if (!tail.empty() && fact.number <= tail.back().number)
      continue;
    if (!tail.empty() && fact.number != tail.back().number + 1) {
      load_tail();
      return;
    }
    tail.push_back(std::move(fact));
    if (tail.size() > arguments.tail_max)
      tail.pop_front();
  }
}

void event_log_state::count(const std::string& topic) {
  if (auto found = counts.find(topic); found != counts.end())
    found->second.add();
}

event_list event_log_state::read(const read_events& request) const {
  const auto max = std::min(request.max, read_max);
  if (tail.empty() || request.after + 1 < tail.front().number)
    return load(arguments.database, request.after, max);
  const auto first
    = std::upper_bound(tail.begin(), tail.end(), request.after,
                       [](std::uint64_t number, const event& x) { return number < x.number; });
  const auto size = std::min<std::ptrdiff_t>(tail.end() - first, max);
  return {{first, first + size}};
}

std::string event_log_state::describe() const {
  if (tail.empty())
    return "no events";
  return "events " + std::to_string(tail.front().number) + " to "
         + std::to_string(tail.back().number) + " in memory";
}

events_actor::behavior_type event_log(event_log_state::self_pointer self,
                                      event_log_arguments arguments) {
  auto& state = self->state;
  state.initialise(std::move(arguments));
  return {
    [&state](events_committed& news) { state.append(news); },
    [&state](const read_events& request) { return state.read(request); },
  };
}

}  // namespace dim::actors
