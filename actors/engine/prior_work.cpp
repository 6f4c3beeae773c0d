#include "actors/engine/prior_work.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <utility>

namespace dim::actors {

namespace {

bool tells_something(const execution_record& record) {
  if (record.node_id.empty() || record.state == execution_state::cancelled)
    return false;
  return record.state != execution_state::completed || !record.outputs.empty();
}

}  // namespace

prior_work::prior_work(std::vector<execution_record> records) {
  for (auto& record : records) {
    const place_id place{record.step, record.slot};
    auto& last = last_attempts_[place];
    last = std::max(last, record.attempt);
    if (!tells_something(record))
      continue;
    if (record.state <= execution_state::completed)
      nodes_.insert(record.node_id);
    records_[place].push_back(std::move(record));
  }
  for (auto& [place, queue] : records_)
    sort(queue);
}

void prior_work::sort(record_queue& records) {
  std::sort(records.begin(), records.end(), [](auto& one, auto& other) {
    return std::tie(one.attempt, one.id) < std::tie(other.attempt, other.id);
  });
}

void prior_work::bind(place_id place, const std::string& node) {
  record_queue bound = std::exchange(elsewhere_[{place.step, node}], {});
  for (auto here = records_.begin(); here != records_.end();) {
    auto& [at, queue] = *here;
    for (auto& record : std::exchange(queue, {}))
      if (at.step == place.step && record.node_id == node)
        bound.push_back(std::move(record));
      else if (at == place)
        elsewhere_[{place.step, record.node_id}].push_back(std::move(record));
      else
        queue.push_back(std::move(record));
    here = queue.empty() ? records_.erase(here) : std::next(here);
  }
  for (auto& record : bound)
    record.slot = place.slot;
  sort(bound);
  if (!bound.empty())
    records_[place] = std::move(bound);
}

bool prior_work::has(place_id place) const {
  return records_.contains(place);
}

std::optional<execution_record> prior_work::next(place_id place) {
  auto found = records_.find(place);
  if (found == records_.end())
    return std::nullopt;
  auto record = std::move(found->second.front());
  found->second.pop_front();
  if (found->second.empty())
    records_.erase(found);
  return record;
}

std::uint32_t prior_work::last_attempt(place_id place) const {
  auto found = last_attempts_.find(place);
  return found != last_attempts_.end() ? found->second : 0;
}

std::vector<execution_record> prior_work::take_unfinished() {
  std::vector<execution_record> result;
  auto take = [&result](record_queue& records) {
    for (auto& record : records)
      if (record.state <= execution_state::running)
        result.push_back(std::move(record));
  };
  for (auto& [place, records] : std::exchange(records_, {}))
    take(records);
  for (auto& [key, records] : std::exchange(elsewhere_, {}))
    take(records);
  return result;
}

}  // namespace dim::actors
