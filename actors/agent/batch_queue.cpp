#include "actors/agent/batch_queue.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace dim::actors {

namespace {

/// Of requests that have waited their turn already, and of those that may wait for ever.
constexpr std::uint32_t front_level = 0;
constexpr std::uint32_t last_level = std::numeric_limits<std::uint32_t>::max();
/// Who names a longer time means none: a year.
constexpr std::uint64_t longest_timeout_us = 365ull * 24 * 3'600 * 1'000'000;

}  // namespace

batch_queue::batch_queue(std::int64_t rows_max, std::uint32_t delay_us,
                           models::batching_policy policy)
  : rows_max_(rows_max), delay_us_(delay_us), policy_(std::move(policy)) {
}

std::uint32_t batch_queue::level_of(std::uint32_t priority) const {
  auto levels = policy_.priority_levels;
  if (levels == 0)
    return 1;
  if (priority == 0 || priority > levels)
    priority = policy_.default_priority;
  return std::clamp(priority, 1u, levels);
}

const models::queue_policy& batch_queue::policy_of(std::uint32_t level) const {
  auto found = policy_.queue_by_priority.find(level);
  return found == policy_.queue_by_priority.end() ? policy_.default_queue : found->second;
}

std::string batch_queue::refusal_of(std::uint32_t priority) const {
  auto level = level_of(priority);
  auto limit = policy_of(level).queue_max;
  auto queue = queues_.find(level);
  if (limit == 0 || queue == queues_.end() || queue->second.size() < limit)
    return {};
  return "Exceeds maximum queue size: " + std::to_string(limit) + " requests wait already";
}

void batch_queue::push(queued_request item) {
  auto level = level_of(item.priority);
  auto& policy = policy_of(level);
  auto timeout_us = policy.default_timeout_us;
  if (policy.allow_timeout_override && item.timeout_us > 0)
    timeout_us = timeout_us == 0 ? item.timeout_us : std::min(timeout_us, item.timeout_us);
  timeout_us = std::min(timeout_us, longest_timeout_us);
  waiting_item waiting{std::move(item), 0, policy.on_timeout};
  if (timeout_us > 0) {
    waiting.timeout_us = static_cast<std::int64_t>(timeout_us);
    waiting.timeout_at_us = waiting.item.arrived_us + waiting.timeout_us;
    ++timed_;
  }
  queues_[level].push_back(std::move(waiting));
  ++size_;
}

void batch_queue::push_front(queued_request item) {
  queues_[front_level].push_front({std::move(item), 0, models::timeout_action::reject});
  ++size_;
}

void batch_queue::remove(const std::vector<std::uint64_t>& keys) {
  auto next = keys.begin();
  for (auto queue = queues_.begin(); queue != queues_.end() && next != keys.end();) {
    auto& items = queue->second;
    // Most batches are the head of one queue.
    while (next != keys.end() && !items.empty() && items.front().item.key == *next) {
      timed_ -= items.front().timeout_at_us != 0;
      items.pop_front();
      ++next;
    }
    if (next != keys.end())
      std::erase_if(items, [&](const waiting_item& each) {
        if (next == keys.end() || each.item.key != *next)
          return false;
        timed_ -= each.timeout_at_us != 0;
        ++next;
        return true;
      });
    queue = items.empty() ? queues_.erase(queue) : std::next(queue);
  }
  size_ -= keys.size();
}

bool batch_queue::erase(std::uint64_t key) {
  for (auto& [level, items] : queues_)
    if (std::any_of(items.begin(), items.end(),
                    [key](const waiting_item& each) { return each.item.key == key; })) {
      remove({key});
      return true;
    }
  return false;
}

const queued_request& batch_queue::first() const {
  return queues_.begin()->second.front().item;
}

bool batch_queue::is_preferred(std::int64_t rows) const {
  auto& sizes = policy_.preferred_sizes;
  return std::find(sizes.begin(), sizes.end(), rows) != sizes.end();
}

batch_queue::selection batch_queue::select() const {
  auto& head = first();
  selection result{{head.key}, false, is_preferred(head.rows) ? std::size_t{1} : 0};
  if (head.alone || head.rows >= rows_max_) {
    result.full = true;
    return result;
  }
  auto rows = head.rows;
  auto is_head = true;
  for (auto& [level, items] : queues_)
    for (auto& waiting : items) {
      auto& each = waiting.item;
      if (rows >= rows_max_)
        break;
      if (std::exchange(is_head, false) || each.alone || each.form != head.form)
        continue;
      if (rows + each.rows > rows_max_) {
        result.full = true;
        continue;
      }
      rows += each.rows;
      result.keys.push_back(each.key);
      if (is_preferred(rows))
        result.preferred = result.keys.size();
    }
  result.full = result.full || rows == rows_max_;
  return result;
}

formed_batch batch_queue::take(std::int64_t now_us, queue_room room) {
  if (empty() || room == queue_room::none)
    return {};
  auto& head = first();
  if (room != queue_room::any && head.alone)
    return {};
  auto chosen = select();
  auto is_due = now_us >= *due_us();
  auto may_be_small =
    room == queue_room::any || (room == queue_room::hurried && head.hurried);
  auto released = release_reason::none;
  if (head.alone)
    released = release_reason::alone;
  else if (chosen.full)
    released = release_reason::full;
  else if (chosen.preferred > 0 && !(may_be_small && is_due))
    released = release_reason::preferred;
  else if (may_be_small && is_due)
    released = delay_us_ > 0 ? release_reason::delay : release_reason::idle;
  else
    return {};
  if (released == release_reason::preferred)
    chosen.keys.resize(chosen.preferred);
  remove(chosen.keys);
  return {std::move(chosen.keys), released};
}

std::vector<std::uint64_t> batch_queue::take_late(std::int64_t now_us) {
  std::vector<std::uint64_t> rejected;
  if (timed_ == 0)
    return rejected;
  waiting_queue delayed;
  for (auto& [level, items] : queues_)
    for (auto& each : items) {
      if (each.timeout_at_us == 0 || now_us < each.timeout_at_us)
        continue;
      if (each.on_timeout == models::timeout_action::reject)
        rejected.push_back(each.item.key);
      else
        delayed.push_back({each.item, 0, each.on_timeout});
    }
  std::vector<std::uint64_t> gone = rejected;
  for (auto& each : delayed)
    gone.push_back(each.item.key);
  for (auto key : gone)
    erase(key);
  for (auto& each : delayed) {
    queues_[last_level].push_back(std::move(each));
    ++size_;
  }
  return rejected;
}

std::optional<std::int64_t> batch_queue::due_us() const {
  if (empty())
    return std::nullopt;
  return first().arrived_us + delay_us_;
}

void batch_queue::restart_timeouts(std::int64_t now_us) {
  for (auto& [level, items] : queues_)
    for (auto& each : items)
      if (each.timeout_at_us != 0)
        each.timeout_at_us = now_us + each.timeout_us;
}

bool batch_queue::has_rules() const {
  auto& common = policy_.default_queue;
  return common.default_timeout_us > 0 || common.allow_timeout_override || common.queue_max > 0
         || policy_.priority_levels > 0 || !policy_.queue_by_priority.empty();
}

std::optional<std::int64_t> batch_queue::timeout_due_us() const {
  std::optional<std::int64_t> next;
  if (timed_ == 0)
    return next;
  for (auto& [level, items] : queues_)
    for (auto& each : items)
      if (each.timeout_at_us != 0)
        next = std::min(next.value_or(each.timeout_at_us), each.timeout_at_us);
  return next;
}

}  // namespace dim::actors
