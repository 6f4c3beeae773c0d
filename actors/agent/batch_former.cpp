#include "actors/agent/batch_former.hpp"

#include <algorithm>

#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<6> release_names{"none",  "full", "preferred",
                                               "delay", "idle", "alone"};

}  // namespace

std::string_view to_string(release_reason reason) noexcept {
  return runtime::name_of(release_names, reason);
}

void batch_former::push(batch_item item) {
  queue_.push_back(std::move(item));
}

void batch_former::push_front(batch_item item) {
  queue_.push_front(std::move(item));
}

bool batch_former::erase(std::uint64_t key) {
  auto found = std::find_if(queue_.begin(), queue_.end(),
                            [key](const batch_item& each) { return each.key == key; });
  if (found == queue_.end())
    return false;
  queue_.erase(found);
  return true;
}

batch_former::selection batch_former::select() const {
  auto& first = queue_.front();
  selection result{{0}, false};
  if (first.alone || first.rows >= rows_max_) {
    result.full = true;
    return result;
  }
  auto rows = first.rows;
  for (std::size_t place = 1; place < queue_.size() && rows < rows_max_; ++place) {
    auto& each = queue_[place];
    if (each.alone || each.form != first.form)
      continue;
    if (rows + each.rows > rows_max_) {
      result.full = true;
      continue;
    }
    rows += each.rows;
    result.places.push_back(place);
  }
  result.full = result.full || rows == rows_max_;
  return result;
}

formed_batch batch_former::take(std::int64_t now_us, worker_room room) {
  formed_batch batch;
  if (queue_.empty() || room == worker_room::none)
    return batch;
  auto chosen = select();
  auto& first = queue_.front();
  if (room == worker_room::full_batch && (first.alone || !chosen.full))
    return batch;
  if (room == worker_room::any && !chosen.full && now_us < *due_us())
    return batch;
  batch.released = first.alone ? release_reason::alone
                   : chosen.full ? release_reason::full
                   : delay_us_ > 0 ? release_reason::delay
                                   : release_reason::idle;
  batch.keys.reserve(chosen.places.size());
  for (auto place : chosen.places)
    batch.keys.push_back(queue_[place].key);
  for (auto place = chosen.places.rbegin(); place != chosen.places.rend(); ++place)
    queue_.erase(queue_.begin() + static_cast<std::ptrdiff_t>(*place));
  return batch;
}

std::optional<std::int64_t> batch_former::due_us() const {
  if (queue_.empty())
    return std::nullopt;
  return queue_.front().arrived_us + delay_us_;
}

}  // namespace dim::actors
