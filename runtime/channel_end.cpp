#include "runtime/channel_end.hpp"

#include <utility>

namespace dim::runtime {

channel_end::channel_end(caf::actor_system& system, std::shared_ptr<shared_channel> channel,
                         std::function<void()> tell, listener_thread thread)
  : channel_(std::move(channel)),
    writer_(channel_->outgoing()),
    reader_(channel_->incoming()),
    listener_(system, channel_, std::move(tell), std::move(thread)) {
}

void channel_end::send(channel_frame frame) {
  writer_.push(std::move(frame));
  write();
}

void channel_end::hear() {
  listener_.note_heard();
  write();
}

expected<std::optional<channel_frame>> channel_end::next() {
  if (channel_->outgoing().is_broken())
    return fail(error_code::corrupt, "the other side took more from the channel than was in it");
  auto frame = reader_.next();
  if (channel_->incoming().release())
    channel_->ring_peer();
  return frame;
}

void channel_end::write() {
  auto must_wake = writer_.flush();
  auto is_left = !writer_.is_done();
  listener_.note_unwritten(is_left);
  if (must_wake)
    channel_->ring_peer();
  // Room that came before the listener was told to look for it has rung in vain.
  if (is_left && channel_->outgoing().has_room())
    channel_->ring_self();
}

}  // namespace dim::runtime
