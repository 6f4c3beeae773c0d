#include "tests/simulation/shrink.hpp"

#include <algorithm>
#include <utility>

namespace dim::simulation {

namespace {

class shrinking {
public:
  shrinking(planned_run failing, const still_fails& fails, std::uint32_t runs_max)
    : best_(std::move(failing)), fails_(fails), runs_left_(runs_max) {
  }

  planned_run run() {
    auto before = best_;
    do {
      before = best_;
      drop_faults();
      lessen([](planned_run& one) -> auto& { return one.plan.load.jobs; }, 1u);
      lessen([](planned_run& one) -> auto& { return one.plan.nodes; }, 1u);
      lessen([](planned_run& one) -> auto& { return one.plan.duration_ms; }, std::int64_t{1'000});
    } while (runs_left_ > 0 && !(before.plan == best_.plan));
    return best_;
  }

private:
  bool try_with(planned_run smaller) {
    if (runs_left_ == 0)
      return false;
    --runs_left_;
    if (!fails_(smaller))
      return false;
    best_ = std::move(smaller);
    return true;
  }

  /// Takes away halves, then quarters, then single faults.
  void drop_faults() {
    for (auto size = best_.plan.faults.size(); size > 0; size /= 2)
      for (std::size_t first = 0; first < best_.plan.faults.size();) {
        auto smaller = best_;
        auto& faults = smaller.plan.faults;
        auto last = std::min(first + size, faults.size());
        faults.erase(faults.begin() + static_cast<std::ptrdiff_t>(first),
                     faults.begin() + static_cast<std::ptrdiff_t>(last));
        if (!try_with(std::move(smaller)))
          first += size;
      }
  }

  /// Halves a number for as long as that works, then tries smaller steps down.
  template <class Part, class Number>
  void lessen(Part part, Number least) {
    for (auto step = part(best_) / 2; step > 0; step /= 2)
      while (part(best_) >= least + step) {
        auto smaller = best_;
        part(smaller) -= step;
        if (!try_with(std::move(smaller)))
          break;
      }
  }

  planned_run best_;
  const still_fails& fails_;
  std::uint32_t runs_left_;
};

}  // namespace

planned_run shrink(planned_run failing, const still_fails& fails, std::uint32_t runs_max) {
  return shrinking{std::move(failing), fails, runs_max}.run();
}

}  // namespace dim::simulation
