#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <utility>

namespace dim::runtime {

/// How many tickets of one kind exist. Thread-safe; copies share one count.
class work_count {
public:
  work_count() : count_(std::make_shared<std::atomic<std::uint32_t>>(0)) {
  }

  std::uint32_t value() const noexcept {
    return count_->load(std::memory_order_relaxed);
  }

private:
  friend class work_ticket;
  std::shared_ptr<std::atomic<std::uint32_t>> count_;
};

/// Counts one piece of work for as long as it, or a copy, exists anywhere in this process: whoever
/// hands work on without waiting for its end still knows how much there is, also when an actor dies
/// with it. Nothing of it crosses to another process.
class work_ticket {
public:
  work_ticket() = default;

  explicit work_ticket(const work_count& count)
    : held_(std::make_shared<held>(count.count_)) {
  }

private:
  struct held {
    explicit held(std::shared_ptr<std::atomic<std::uint32_t>> shared) : count(std::move(shared)) {
      count->fetch_add(1, std::memory_order_relaxed);
    }
    ~held() {
      count->fetch_sub(1, std::memory_order_relaxed);
    }
    held(const held&) = delete;
    held& operator=(const held&) = delete;

    std::shared_ptr<std::atomic<std::uint32_t>> count;
  };
  std::shared_ptr<const held> held_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, work_ticket&) {
  return f();
}

}  // namespace dim::runtime
