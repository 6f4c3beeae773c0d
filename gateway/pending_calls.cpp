#include "gateway/pending_calls.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace dim::gateway {

namespace {

constexpr std::chrono::seconds ending_max{5};

}  // namespace

/// Calls that end now: whoever closes the table waits for them, whatever becomes of them.
class pending_calls::ending_calls {
public:
  /// They have been counted under the lock.
  ending_calls(pending_calls& table, std::size_t count) : table_(table), count_(count) {
  }
  ~ending_calls() {
    std::lock_guard guard{table_.mutex_};
    table_.ending_ -= count_;
    if (table_.ending_ == 0)
      table_.all_ended_.notify_all();
  }
  ending_calls(const ending_calls&) = delete;
  ending_calls& operator=(const ending_calls&) = delete;

private:
  pending_calls& table_;
  std::size_t count_;
};

runtime::expected<std::uint64_t> pending_calls::add(std::shared_ptr<pending_call> call,
                                                   time_point due) {
  std::lock_guard guard{mutex_};
  if (closed_)
    return tl::unexpected<runtime::failure>(*closed_);
  if (calls_.size() >= calls_max_)
    return runtime::fail(runtime::error_code::overloaded, "too many requests wait for an answer");
  auto number = ++last_number_;
  calls_.emplace_hint(calls_.end(), number, waiting_call{std::move(call), due});
  next_due_ = std::min(next_due_, due);
  traffic_.note(calls_.size());
  return number;
}

void pending_calls::finish(std::uint64_t number, const std::function<void(pending_call&)>& end) {
  std::shared_ptr<pending_call> call;
  {
    std::lock_guard guard{mutex_};
    auto found = calls_.find(number);
    if (found == calls_.end())
      return;
    call = std::move(found->second.call);
    calls_.erase(found);
    ++ending_;
  }
  ending_calls ending{*this, 1};
  end(*call);
  call.reset();
}

void pending_calls::fail(std::uint64_t number, runtime::failure why) {
  finish(number, [&](pending_call& call) { call.fail(std::move(why)); });
}

std::vector<std::uint64_t> pending_calls::expire(time_point now) {
  call_map late;
  {
    std::lock_guard guard{mutex_};
    if (now < next_due_)
      return {};
    next_due_ = time_point::max();
    for (auto each = calls_.begin(); each != calls_.end();) {
      auto after = std::next(each);
      if (each->second.due <= now)
        late.insert(late.end(), calls_.extract(each));
      else
        next_due_ = std::min(next_due_, each->second.due);
      each = after;
    }
    ending_ += late.size();
  }
  ending_calls ending{*this, late.size()};
  std::vector<std::uint64_t> numbers;
  for (auto& [number, what] : late) {
    numbers.push_back(number);
    what.call->fail(
      {runtime::error_code::timeout, "the orchestrator did not answer in time", {}});
  }
  late.clear();
  return numbers;
}

void pending_calls::fail_all(const runtime::failure& why) {
  call_map left;
  {
    std::lock_guard guard{mutex_};
    left.swap(calls_);
    ending_ += left.size();
  }
  ending_calls ending{*this, left.size()};
  for (auto& [number, what] : left)
    what.call->fail(why);
  left.clear();
}

void pending_calls::close(runtime::failure why) {
  {
    std::lock_guard guard{mutex_};
    if (!closed_)
      closed_ = why;
  }
  fail_all(why);
  std::unique_lock guard{mutex_};
  all_ended_.wait_for(guard, ending_max, [this] { return ending_ == 0; });
}

std::size_t pending_calls::size() const {
  std::lock_guard guard{mutex_};
  return calls_.size();
}

bool pending_calls::are_few() const {
  return size() <= runtime::traffic::few && traffic_.is_calm();
}

}  // namespace dim::gateway
