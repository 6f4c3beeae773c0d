#include "runtime/message_faults.hpp"

#include <chrono>
#include <vector>

#include <caf/all.hpp>

namespace dim::runtime {

namespace {

/// Marks a message that was held back already: the receiver as its own next stage, which no other
/// code does. Taken off again on arrival.
bool take_mark(caf::mailbox_element& element, const caf::strong_actor_ptr& receiver) {
  if (element.stages.empty() || element.stages.back() != receiver)
    return false;
  element.stages.pop_back();
  return true;
}

/// Flips one bit near the end of the serialised form, behind the type names. What can not be read
/// back arrives as CAF delivers undecodable content: as an empty message.
caf::message corrupted(caf::actor_system& system, caf::message content) {
  std::vector<char> buffer;
  caf::binary_serializer sink{system, buffer};
  if (sink(content) || buffer.empty())
    return caf::make_message();
  buffer[buffer.size() - 1 - buffer.size() / 8] ^= 0x04;
  caf::message result;
  caf::binary_deserializer source{system, buffer};
  if (source(result))
    return caf::make_message();
  return result;
}

}  // namespace

caf::mailbox_element_ptr copy_of(const caf::mailbox_element& element) {
  auto& source = const_cast<caf::mailbox_element&>(element);
  return caf::make_mailbox_element(element.sender, element.mid, element.stages,
                                   source.copy_content_to_message());
}

bool pass_faults(system_context& context, const char* name, const caf::strong_actor_ptr& receiver,
                 caf::mailbox_element_ptr& element, bool& again) {
  if (take_mark(*element, receiver) || !context.faults)
    return true;
  auto& system = *receiver->home_system;
  switch (context.faults(name, *element)) {
    case message_fault::none:
      return true;
    case message_fault::drop:
      return false;
    case message_fault::duplicate:
      again = true;
      return true;
    case message_fault::delay: {
      element->stages.push_back(receiver);
      auto due = system.clock().now() + std::chrono::milliseconds{context.fault_delay_ms};
      system.clock().schedule_message(due, receiver, std::move(element));
      return false;
    }
    case message_fault::corrupt:
      element = caf::make_mailbox_element(element->sender, element->mid, element->stages,
                                          corrupted(system, element->move_content_to_message()));
      return true;
  }
  return true;
}

}  // namespace dim::runtime
