#pragma once

#include <utility>

#include <caf/all.hpp>

#include "runtime/errors.hpp"
#include "runtime/service.hpp"

namespace dim::actors {

/// Whether a lost link or a busy orchestrator may be the reason: then it is worth another try.
inline bool may_heal(runtime::error_code code) noexcept {
  return code == runtime::error_code::timeout || code == runtime::error_code::unavailable ||
         code == runtime::error_code::node_lost || code == runtime::error_code::overloaded;
}

/// The orchestrator's ENTRY as one actor of a node sees it: the handle in the cell, as long as it
/// is alive. CAF swallows what is sent to a dead one, so it is monitored, and not used again once
/// it went down, even while the cell still holds it.
class entry_watch {
public:
  entry_watch() = default;
  explicit entry_watch(runtime::service<caf::actor> cell) : cell_(std::move(cell)) {
  }

  /// The living ENTRY, or an empty handle. `self` monitors it from now on, and hands its down
  /// messages to `note_down`.
  caf::actor get(caf::local_actor& self) {
    auto handle = cell_.get();
    auto pointer = caf::actor_cast<caf::strong_actor_ptr>(handle);
    if (!handle || pointer.get() == dead_.get())
      return {};
    if (pointer.get() != watched_.get()) {
      if (watched_)
        self.demonitor(watched_->address());
      self.monitor(handle);
      watched_ = std::move(pointer);
    }
    return handle;
  }

  /// Whether ENTRY itself went down.
  bool note_down(const caf::down_msg& news) {
    if (!watched_ || news.source != watched_->address())
      return false;
    dead_ = std::move(watched_);
    watched_ = nullptr;
    return true;
  }

private:
  runtime::service<caf::actor> cell_;
  caf::strong_actor_ptr watched_;
  caf::strong_actor_ptr dead_;
};

}  // namespace dim::actors
