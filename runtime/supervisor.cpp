#include "runtime/supervisor.hpp"

#include <chrono>

#include "runtime/caf_errors.hpp"
#include "runtime/supervisor_state.hpp"

namespace dim::runtime {

supervisor_actor::behavior_type supervisor(supervisor_state::self_pointer self,
                                           supervisor_spec spec) {
  auto& state = self->state;
  self->set_down_handler([&state](caf::down_msg& message) { state.child_ended(message); });
  self->set_exit_handler([&state](caf::exit_msg& message) {
    state.stop_with(std::move(message.reason));
  });
  state.begin(std::move(spec));
  return {
    [&state](await_tree) { return state.await(); },
    [&state](stop_tree) { return state.stop(); },
    [&state](get_tree) { return state.status(); },
    [&state](const child_due& message) { state.pass_time(message); },
  };
}

supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_spec spec) {
  return system.spawn(supervisor, std::move(spec));
}

supervisor_actor spawn_supervisor(caf::local_actor& parent, supervisor_spec spec) {
  return parent.spawn(supervisor, std::move(spec));
}

child_spec make_supervisor_child(supervisor_spec spec, restart_kind restart,
                                 std::uint32_t stop_grace_ms) {
  child_spec child;
  child.name = spec.name;
  child.start = [spec](caf::local_actor& parent) -> expected<caf::strong_actor_ptr> {
    return caf::actor_cast<caf::strong_actor_ptr>(spawn_supervisor(parent, spec));
  };
  child.restart = restart;
  child.stop_grace_ms = stop_grace_ms;
  child.is_supervisor = true;
  return child;
}

namespace {

/// Why `root` has ended. A request to a dead actor is bounced without its reason; a monitor has it.
failure reason_of_end(caf::scoped_actor& self, const supervisor_actor& root) {
  failure reason;
  self->monitor(root);
  self->receive([&reason](const caf::down_msg& message) { reason = to_failure(message.reason); });
  return reason;
}

}  // namespace

expected<supervisor_actor> start_supervisor(caf::actor_system& system, supervisor_spec spec,
                                            std::uint32_t timeout_ms) {
  auto root = spawn_supervisor(system, std::move(spec));
  caf::scoped_actor self{system};
  expected<supervisor_actor> result{root};
  self->request(root, std::chrono::milliseconds{timeout_ms}, await_tree{})
    .receive([](const tree_status&) {},
             [&](const caf::error& error) {
               result = tl::unexpected<failure>(error == caf::sec::request_receiver_down
                                                  ? reason_of_end(self, root)
                                                  : to_failure(error));
             });
  if (!result)
    caf::anon_send_exit(root, caf::exit_reason::user_shutdown);
  return result;
}

expected<void> stop_supervisor(caf::actor_system& system, const supervisor_actor& root,
                               std::uint32_t timeout_ms) {
  caf::scoped_actor self{system};
  expected<void> result;
  self->request(root, std::chrono::milliseconds{timeout_ms}, stop_tree{})
    .receive([](const tree_status&) {},
             [&result](const caf::error& error) {
               auto reason = to_failure(error);
               if (reason.code != error_code::unavailable)
                 result = tl::unexpected<failure>(std::move(reason));
             });
  return result;
}

}  // namespace dim::runtime
