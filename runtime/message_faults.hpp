#pragma once

#include <caf/actor_control_block.hpp>
#include <caf/mailbox_element.hpp>

#include "runtime/system.hpp"

/// What the actor base does to a message when a fault hook is set. Message faults exist in one
/// place only, so that behaviours need not know of them.
namespace dim::runtime {

/// Asks the hook about `element`, which is on its way to `receiver`, and does what it says. Returns
/// false when the message goes no further now (dropped, or held back and sent again later). Sets
/// `again` when it is to be delivered twice; a corrupted message is replaced in `element`.
bool pass_faults(system_context& context, const char* name, const caf::strong_actor_ptr& receiver,
                 caf::mailbox_element_ptr& element, bool& again);

/// The same message once more.
caf::mailbox_element_ptr copy_of(const caf::mailbox_element& element);

}  // namespace dim::runtime
