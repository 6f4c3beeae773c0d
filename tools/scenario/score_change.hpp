#pragma once

#include <optional>
#include <string>

#include "tools/scenario/history.hpp"

namespace dim::scenario {

/// What the detail of a `reputation_changed` event says.
struct score_change {
  double points = 0.0;
  /// The reputation after the change.
  double score = 0.0;
  /// "agreed", "disagreed", "lost", ...
  std::string reason;
};

/// Nothing when the event is of another kind, or its detail has no points and score.
std::optional<score_change> score_change_of(const logged_event& event);

}  // namespace dim::scenario
