#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>

#include <caf/actor_clock.hpp>

namespace dim::simulation {

using time_point = caf::actor_clock::time_point;

/// What the surroundings of the actors do, and when: packets that arrive, faults that strike,
/// silence that is noticed. Deeds of the same time happen in the order in which they were entered.
class timeline {
public:
  using deed = std::function<void()>;

  void at(time_point when, deed what) {
    deeds_.emplace(std::make_pair(when, ++last_), std::move(what));
  }

  /// When the next deed is due; nothing when there is none.
  std::optional<time_point> next() const {
    if (deeds_.empty())
      return std::nullopt;
    return deeds_.begin()->first.first;
  }

  /// Takes out the next deed. There must be one.
  deed take() {
    auto first = deeds_.extract(deeds_.begin());
    return std::move(first.mapped());
  }

  void clear() {
    deeds_.clear();
  }
  std::size_t size() const noexcept {
    return deeds_.size();
  }

private:
  std::map<std::pair<time_point, std::uint64_t>, deed> deeds_;
  std::uint64_t last_ = 0;
};

}  // namespace dim::simulation
