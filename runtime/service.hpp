#pragma once

#include <memory>
#include <mutex>

namespace dim::runtime {

/// A cell that holds the present handle of an actor which its supervisor may restart. Actors that
/// need another actor keep the cell, and ask it each time. Copies share one cell. Thread-safe; the
/// handle is empty while the actor is down.
template <class Handle>
class service {
public:
  service() : cell_(std::make_shared<cell>()) {
  }

  explicit service(Handle handle) : service() {
    set(std::move(handle));
  }

  Handle get() const {
    std::lock_guard guard{cell_->mutex};
    return cell_->handle;
  }

  void set(Handle handle) {
    std::lock_guard guard{cell_->mutex};
    cell_->handle = std::move(handle);
  }

  void clear() {
    set(Handle{});
  }

private:
  struct cell {
    std::mutex mutex;
    Handle handle;
  };
  std::shared_ptr<cell> cell_;
};

}  // namespace dim::runtime
