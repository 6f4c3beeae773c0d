#pragma once

#include <string>
#include <vector>

#include "runtime/supervisor.hpp"
#include "tests/runtime/runtime_types.hpp"

namespace dim::tests {

struct worker_state {
  static inline const char* name = "WORKER";
};

/// A child of a supervisor under test. `add_number` ends it: 0 normally, else with an error.
using worker_self = runtime::actor_self<caf::actor, worker_state>;

inline caf::behavior worker(worker_self self) {
  return {[self](const add_number& x) {
    if (x.value == 0)
      self->quit();
    else
      self->quit(runtime::to_error(runtime::error_code::internal, "worker broke"));
  }};
}

/// Ignores the request to end for ever, so that only `kill` ends it.
inline caf::behavior stubborn_worker(worker_self self) {
  self->set_exit_handler([](const caf::exit_msg&) {});
  return worker(self);
}

/// A fixture with children that write down when they start and end.
class tree_fixture : public sum_fixture {
public:
  explicit tree_fixture(std::uint64_t seed = 1) : sum_fixture(seed) {
  }

  /// A child whose handle is found in `cell(name)`.
  runtime::child_spec child(const std::string& name,
                            runtime::restart_kind kind = runtime::restart_kind::permanent) {
    return child_of(name, worker, kind);
  }

  template <class Function>
  runtime::child_spec child_of(const std::string& name, Function function,
                               runtime::restart_kind kind = runtime::restart_kind::permanent) {
    auto spec = runtime::make_child(
      name, cells_[name],
      [this, name, function](caf::local_actor& parent) {
        auto handle = parent.spawn(function);
        history.push_back("+" + name);
        return handle;
      },
      kind, 1'000);
    spec.ended = [this, name, cleared = spec.ended] {
      history.push_back("-" + name);
      cleared();
    };
    return spec;
  }

  caf::actor cell(const std::string& name) {
    return cells_[name].get();
  }

  runtime::supervisor_actor start(runtime::supervisor_spec spec) {
    auto root = runtime::spawn_supervisor(sys(), std::move(spec));
    run();
    return root;
  }

  /// Ends a child as a crash would.
  void crash(const std::string& name) {
    send(cell(name), add_number{1});
  }

  /// What happened since the last call: "+a" for a start, "-a" for an end, in order.
  std::string take_history() {
    std::string result;
    for (auto& line : history)
      result += (result.empty() ? "" : " ") + line;
    history.clear();
    return result;
  }

  std::vector<std::string> history;

private:
  std::map<std::string, runtime::service<caf::actor>> cells_;
};

}  // namespace dim::tests
