#include "actors/agent/channel_codec.hpp"

#include <type_traits>
#include <utility>
#include <vector>

#include <caf/binary_deserializer.hpp>
#include <caf/binary_serializer.hpp>

namespace dim::actors {

namespace {

using runtime::channel_frame;
using runtime::error_code;

/// Where the tensors of a message are.
std::vector<models::tensor_list>* tensors_of(run_batch& x) {
  return &x.requests;
}
std::vector<models::tensor_list>* tensors_of(batch_result& x) {
  return &x.outputs;
}
template <class Message>
std::vector<models::tensor_list>* tensors_of(Message&) {
  return nullptr;
}

template <class Message>
channel_frame encoded(caf::actor_system& system, std::uint64_t number, std::size_t kind,
                      Message& message) {
  channel_frame frame;
  frame.number = number;
  frame.kind = static_cast<std::uint32_t>(kind);
  if (auto* lists = tensors_of(message))
    for (auto& list : *lists)
      for (auto& each : list)
        frame.blobs.push_back(std::exchange(each.data, {}));
  caf::binary_serializer sink{system, frame.head};
  // Writing into memory does not fail.
  static_cast<void>(sink(message));
  return frame;
}

/// Gives each tensor its bytes; false when their number differs.
bool attach(std::vector<models::tensor_list>& lists, channel_frame& frame) {
  auto next = frame.blobs.begin();
  for (auto& list : lists)
    for (auto& each : list) {
      if (next == frame.blobs.end())
        return false;
      each.data = std::move(*next++);
    }
  return next == frame.blobs.end();
}

template <class Variant, std::size_t Place = 0>
runtime::expected<Variant> decoded(caf::actor_system& system, channel_frame& frame) {
  if constexpr (Place == std::variant_size_v<Variant>) {
    return runtime::fail(error_code::protocol_mismatch,
                         "a frame of the channel is no message that is known here");
  } else {
    if (frame.kind != Place)
      return decoded<Variant, Place + 1>(system, frame);
    std::variant_alternative_t<Place, Variant> message;
    caf::binary_deserializer source{system, frame.head};
    auto is_read = !source(message);
    if (auto* lists = tensors_of(message); is_read && lists != nullptr)
      is_read = attach(*lists, frame);
    if (!is_read)
      return runtime::fail(error_code::protocol_mismatch,
                           "a frame of the channel can not be read");
    return Variant{std::move(message)};
  }
}

}  // namespace

channel_frame to_frame(caf::actor_system& system, std::uint64_t number,
                       inference_question question) {
  auto kind = question.index();
  return std::visit([&](auto& message) { return encoded(system, number, kind, message); },
                    question);
}

channel_frame to_frame(caf::actor_system& system, std::uint64_t number, inference_reply reply) {
  auto kind = reply.index();
  return std::visit([&](auto& message) { return encoded(system, number, kind, message); }, reply);
}

runtime::expected<inference_question> question_of(caf::actor_system& system, channel_frame frame) {
  return decoded<inference_question>(system, frame);
}

runtime::expected<inference_reply> reply_of(caf::actor_system& system, channel_frame frame) {
  return decoded<inference_reply>(system, frame);
}

}  // namespace dim::actors
