#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <utility>
#include <vector>

#include "actors/router/messages.hpp"

namespace dim::actors {

/// The last records of direct inferences, and which of them are still to be written to the file.
/// Pure.
class record_ring {
public:
  /// Keeps `records_max` records, and gives none to be written unless `writes`.
  record_ring(std::size_t records_max, bool writes) : records_max_(records_max), writes_(writes) {
  }

  /// Forgets the oldest when it is full, also when that has not been written.
  void add(inference_record record) {
    if (records_max_ == 0)
      return;
    if (records_.size() == records_max_)
      records_.pop_front();
    records_.push_back(std::move(record));
    unwritten_ = std::min(unwritten_ + (writes_ ? 1 : 0), records_.size());
  }

  std::size_t size() const noexcept {
    return records_.size();
  }
  std::size_t unwritten() const noexcept {
    return unwritten_;
  }

  /// What has not been given before, oldest first.
  std::vector<inference_record> take_unwritten() {
    std::vector<inference_record> news{
      records_.end() - static_cast<std::ptrdiff_t>(unwritten_), records_.end()};
    unwritten_ = 0;
    return news;
  }

  /// See `get_inference_records`.
  inference_record_list newest(const get_inference_records& wish) const {
    inference_record_list list;
    for (auto each = records_.rbegin();
         each != records_.rend() && list.records.size() < wish.limit; ++each)
      if (wish.model.empty() || each->model == wish.model)
        list.records.push_back(*each);
    return list;
  }

private:
  std::size_t records_max_;
  bool writes_;
  std::deque<inference_record> records_;
  std::size_t unwritten_ = 0;
};

}  // namespace dim::actors
