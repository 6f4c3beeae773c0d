#include "runtime/message_faults.hpp"

#include <chrono>
#include <optional>
#include <vector>

#include <caf/all.hpp>
#include <caf/stream_deserializer.hpp>
#include <caf/stream_serializer.hpp>
#include <caf/streambuf.hpp>

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

/// Notes where in its output the largest block of bytes stands that is no text.
class payload_finder : public caf::stream_serializer<caf::vectorbuf> {
public:
  using super = caf::stream_serializer<caf::vectorbuf>;

  payload_finder(caf::actor_system& system, std::vector<char>& out)
    : super(system, out), out_(out) {
  }

  caf::error apply_raw(std::size_t size, void* data) override {
    if (!is_in_text_ && size > size_) {
      size_ = size;
      offset_ = out_.size();
    }
    return super::apply_raw(size, data);
  }

  /// Where a bit may be flipped; nothing where there is no payload.
  std::optional<std::size_t> middle() const {
    if (size_ <= number_size_max)
      return std::nullopt;
    return offset_ + size_ / 2;
  }

protected:
  using super::apply_impl;

  caf::error apply_impl(std::string& text) override {
    is_in_text_ = true;
    auto problem = super::apply_impl(text);
    is_in_text_ = false;
    return problem;
  }

private:
  /// Numbers are blocks too.
  static constexpr std::size_t number_size_max = 8;

  std::vector<char>& out_;
  bool is_in_text_ = false;
  std::size_t size_ = 0;
  std::size_t offset_ = 0;
};

/// The same content with one bit of its payload flipped; nothing when it has no payload.
std::optional<caf::message> with_spoilt_payload(caf::actor_system& system,
                                                const caf::mailbox_element& element) {
  auto content = const_cast<caf::mailbox_element&>(element).copy_content_to_message();
  std::vector<char> buffer;
  payload_finder sink{system, buffer};
  if (sink(content) || !sink.middle())
    return std::nullopt;
  buffer[*sink.middle()] ^= 0x10;
  caf::message result;
  caf::stream_deserializer<caf::charbuf> source{system, buffer.data(), buffer.size()};
  if (source(result))
    return std::nullopt;
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
  const auto decision = context.faults(name, *element);
  switch (decision.fault) {
    case message_fault::none:
      return true;
    case message_fault::drop:
      return false;
    case message_fault::duplicate:
      again = true;
      return true;
    case message_fault::delay: {
      element->stages.push_back(receiver);
      const auto delay_ms = decision.delay_ms > 0 ? decision.delay_ms : context.fault_delay_ms;
      auto due = system.clock().now() + std::chrono::milliseconds{delay_ms};
      system.clock().schedule_message(due, receiver, std::move(element));
      return false;
    }
    case message_fault::corrupt:
      element = caf::make_mailbox_element(element->sender, element->mid, element->stages,
                                          corrupted(system, element->move_content_to_message()));
      return true;
    case message_fault::corrupt_payload:
      if (auto spoilt = with_spoilt_payload(system, *element))
        element = caf::make_mailbox_element(element->sender, element->mid, element->stages,
                                            std::move(*spoilt));
      return true;
  }
  return true;
}

}  // namespace dim::runtime
