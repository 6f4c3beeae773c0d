#include "runtime/stuck_watch.hpp"

#include <algorithm>
#include <chrono>

#include <caf/all.hpp>

#include "runtime/log.hpp"
#include "runtime/system.hpp"

namespace dim::runtime {

namespace {

using std::chrono::milliseconds;

constexpr std::int64_t ms_ns = 1'000'000;

std::vector<working_actor> look(caf::actor_system& system) {
  auto& context = context_of(system);
  const auto limit_ns = context.stuck_limit.count() * ms_ns;
  if (limit_ns == 0)
    return {};
  return find_stuck(context.actors.working(), limit_ns, clock_ns(system));
}

/// How late the beginning of a hang may be noticed. A look takes as long as there are actors, of
/// which each unfinished job has two.
milliseconds pause_of(milliseconds limit) {
  return std::clamp(limit / 4, milliseconds{5}, milliseconds{5'000});
}

std::int64_t milliseconds_since(caf::actor_system& system, std::int64_t since_ns) {
  return (clock_ns(system) - since_ns) / ms_ns;
}

}  // namespace

std::vector<stuck_actor> stuck_now(caf::actor_system& system) {
  auto found = look(system);
  std::sort(found.begin(), found.end(),
            [](const auto& left, const auto& right) { return left.since_ns < right.since_ns; });
  std::vector<stuck_actor> result;
  for (auto& each : found)
    result.push_back({each.name, name_of(system, each.message),
                      milliseconds_since(system, each.since_ns),
                      std::max<std::int64_t>(each.mailbox - 1, 0)});
  return result;
}

std::string to_text(const stuck_actor& stuck) {
  return stuck.name + " has handled " + stuck.message + " for "
         + std::to_string(stuck.busy_ms / 1'000) + " s, " + std::to_string(stuck.waiting)
         + " messages wait";
}

void log_stuck(caf::actor_system& system, const stuck_changes& news) {
  auto tell = [&system](log_level level, const char* words, const working_actor& each) {
    log(level, each.name, words,
        {{"actor_id", each.id},
         {"message_type", name_of(system, each.message)},
         {"busy_ms", milliseconds_since(system, each.since_ns)},
         {"mailbox", each.mailbox}});
  };
  for (auto& each : news.begun)
    tell(log_level::error, "is stuck in a message", each);
  for (auto& each : news.ended)
    tell(log_level::warn, "is not stuck any more", each);
}

stuck_watch::stuck_watch(caf::actor_system& system, listener tell)
  : system_(system), tell_(std::move(tell)) {
  if (context_of(system).stuck_limit.count() > 0)
    thread_ = std::thread{[this] { look_again_and_again(); }};
}

stuck_watch::~stuck_watch() {
  {
    std::lock_guard guard{mutex_};
    is_over_ = true;
  }
  ending_.notify_all();
  if (thread_.joinable())
    thread_.join();
}

void stuck_watch::look_again_and_again() {
  const auto pause = pause_of(context_of(system_).stuck_limit);
  stuck_history history;
  std::unique_lock guard{mutex_};
  while (!ending_.wait_for(guard, pause, [this] { return is_over_; })) {
    guard.unlock();
    if (auto news = history.note(look(system_)); !news.begun.empty() || !news.ended.empty())
      tell_(system_, news);
    guard.lock();
  }
}

}  // namespace dim::runtime
