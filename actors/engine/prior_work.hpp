#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "actors/engine/execution_record.hpp"
#include "actors/engine/place.hpp"

/// What an earlier engine of a job has left in the store. Pure: no actor, no clock.
namespace dim::actors {

/// The executions of an earlier engine, by place, in the order of their attempts. A new engine
/// plays them back when its pattern opens their places, so that it goes on where the other one was:
/// with the same answers, the same failures behind it, and the same executions at the same nodes.
///
/// Left out are those that tell a new engine nothing: withdrawn ones, those that found no node, and
/// answers whose outputs were not kept because what followed from them is stored elsewhere.
class prior_work {
public:
  prior_work() = default;
  explicit prior_work(std::vector<execution_record> records);

  /// The place is bound to `node`, which another place of its step may have been bound to before:
  /// what `node` was given in this step belongs to the place now, and nothing else does.
  void bind(place_id place, const std::string& node);

  /// Whether `next` has something for this place.
  bool has(place_id place) const;

  /// Takes the place's next record.
  std::optional<execution_record> next(place_id place);

  /// The highest number of an attempt at this place, those that are left out included; 0: none.
  std::uint32_t last_attempt(place_id place) const;

  /// Takes all records that nobody asked for and that had not ended.
  std::vector<execution_record> take_unfinished();

  /// Nodes that run an execution of this job, or have answered one.
  const std::set<std::string>& nodes() const noexcept {
    return nodes_;
  }

private:
  using record_queue = std::deque<execution_record>;

  static void sort(record_queue& records);

  std::map<place_id, record_queue> records_;
  /// By step and node: what no place asks for yet.
  std::map<std::pair<std::uint32_t, std::string>, record_queue> elsewhere_;
  std::map<place_id, std::uint32_t> last_attempts_;
  std::set<std::string> nodes_;
};

}  // namespace dim::actors
