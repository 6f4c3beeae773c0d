#pragma once

#include <memory>

#include <caf/all.hpp>

#include "runtime/actor_base.hpp"
#include "tests/support/gate.hpp"

namespace dim::tests {

/// HELD, an actor of a real system that really hangs: its handler keeps its thread.
class held_actor {
public:
  explicit held_actor(caf::actor_system& system) {
    actor_ = system.spawn([door = door_](self_pointer) -> caf::behavior {
      return {[door](caf::tick_atom) { door->pass(); }};
    });
  }
  ~held_actor() {
    release();
    caf::anon_send_exit(actor_, caf::exit_reason::user_shutdown);
  }
  held_actor(const held_actor&) = delete;
  held_actor& operator=(const held_actor&) = delete;

  /// Returns when the actor hangs.
  void hold() {
    door_->close();
    caf::anon_send(actor_, caf::tick_atom_v);
    door_->wait_held();
  }

  /// Lets it go on, if it hangs.
  void release() {
    door_->open();
  }

private:
  struct held_state {
    static inline const char* name = "HELD";
  };
  using self_pointer = runtime::actor_self<caf::actor, held_state>;

  std::shared_ptr<gate> door_ = std::make_shared<gate>();
  caf::actor actor_;
};

}  // namespace dim::tests
