#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "runtime/actor_base.hpp"
#include "runtime/supervisor.hpp"

namespace dim::runtime {

/// What a supervisor does with its children, one step after the other:
///
///   down --start--> starting --ready--> up --stop--> stopping --ended--> down
///                       |                |
///                       +-----ended------+--> down, and by the plan of its strategy to start again
///
/// Whatever is to be done is written as marks on the children (`to_stop`, `to_start`); `step` then
/// stops the marked ones, the last first and one at a time, and after that starts the marked ones,
/// the first first and one at a time. Every event changes marks and takes the next step.
class supervisor_state {
public:
  static inline const char* name = "SUPERVISOR";
  using self_pointer = actor_self<supervisor_actor, supervisor_state>;

  explicit supervisor_state(self_pointer self) : self_(self) {
  }

  /// Starts all children.
  void begin(supervisor_spec spec);

  /// Answers when all children run, or have not.
  caf::typed_response_promise<tree_status> await();

  /// Stops all children, then answers and quits.
  caf::typed_response_promise<tree_status> stop();

  /// Stops all children, then quits with `reason`.
  void stop_with(caf::error reason);

  void child_ended(const caf::down_msg& message);
  void pass_time(const child_due& message);
  tree_status status() const;
  std::string describe() const;

private:
  enum class phase { starting, running, stopping };
  enum class stage { down, starting, up, stopping };

  struct child {
    child_spec spec;
    caf::strong_actor_ptr handle;
    stage at = stage::down;
    bool to_stop = false;
    bool to_start = false;
    bool was_killed = false;
    std::int64_t start_at_ns = 0;
    std::int64_t up_since_ns = 0;
    /// Since it last ran for a whole window.
    std::uint32_t failures = 0;
    std::uint32_t restarts = 0;
    /// Grows whenever the child changes its stage, so that older timers count for nothing.
    std::uint64_t generation = 0;
  };

  /// The children that live, for the case that this supervisor is killed: then they are as well.
  struct living_children {
    std::mutex mutex;
    std::vector<caf::actor_addr> addresses;
  };

  static const char* word_of(stage at);
  void step();
  void stop_child(std::size_t index);
  void start_child(std::size_t index);
  void ask_ready(std::size_t index);
  void ready(std::size_t index, std::uint64_t generation);
  void abandon(std::size_t index);
  void end_child(std::size_t index, const failure& reason, bool with_error);
  void restart_after(std::size_t index, const failure& reason);
  void give_up(failure reason);
  void finish();
  std::optional<std::size_t> next_to_start() const;
  bool any_at(stage at) const;
  void note_living();
  void delay(std::size_t index, std::int64_t delay_ms, child_due::purpose what);

  self_pointer self_;
  supervisor_spec spec_;
  std::vector<child> children_;
  phase phase_ = phase::starting;
  caf::error final_reason_;
  std::optional<restart_window> window_;
  std::optional<random_source> random_;
  std::shared_ptr<living_children> living_ = std::make_shared<living_children>();
  std::vector<caf::typed_response_promise<tree_status>> awaiting_;
  std::vector<caf::typed_response_promise<tree_status>> stopping_;
};

/// The behaviour of SUPERVISOR.
supervisor_actor::behavior_type supervisor(supervisor_state::self_pointer self,
                                           supervisor_spec spec);

}  // namespace dim::runtime
