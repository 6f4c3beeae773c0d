#include "runtime/channel_listener.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>

#include <unistd.h>

#include "runtime/system.hpp"

using namespace dim;

namespace {

/// Only a defect takes so long.
constexpr auto patience = std::chrono::seconds{60};

runtime::descriptor copy_of(const runtime::descriptor& from) {
  return runtime::descriptor{::dup(from.number())};
}

/// Whether there was room when the actor was told first.
struct first_news {
  void note(bool has_room) {
    if (!is_told.exchange(true))
      had_room.set_value(has_room);
  }

  std::promise<bool> had_room;
  std::atomic<bool> is_told{false};
};

/// Both sides of a channel.
struct both_sides {
  both_sides() {
    auto& held = made->descriptors();
    auto guest = runtime::shared_channel::join(
      {copy_of(held.memory), copy_of(held.maker_bell), copy_of(held.guest_bell)});
    REQUIRE(guest);
    joined = std::move(*guest);
  }

  std::shared_ptr<runtime::shared_channel> made = *runtime::shared_channel::make();
  std::shared_ptr<runtime::shared_channel> joined;
};

}  // namespace

TEST_CASE("who writes first is not told of what has come before there is room for what is left") {
  runtime::system_config config;
  caf::actor_system system{config};
  std::string full(runtime::shared_channel::capacity, 'x');
  // Told too soon would only be seen now and then.
  for (int round = 0; round < 200; ++round) {
    both_sides f;
    auto& out = f.joined->outgoing();
    REQUIRE(out.write(full.data(), full.size()) == full.size());
    static_cast<void>(out.publish());
    static_cast<void>(out.expect_room());
    // The thread may outlive its listener for a moment.
    auto first = std::make_shared<first_news>();
    auto tell = [first, channel = f.joined] { first->note(channel->outgoing().has_room()); };
    runtime::listener_thread thread;
    thread.writes_first = true;
    runtime::channel_listener listener{system, f.joined, tell, thread};
    listener.note_unwritten(true);
    // A question comes, and then all that was written is taken.
    REQUIRE(f.made->outgoing().write("?", 1) == 1);
    if (f.made->outgoing().publish())
      f.made->ring_peer();
    REQUIRE(f.made->incoming().read(full.data(), full.size()) == full.size());
    if (f.made->incoming().release())
      f.made->ring_peer();
    auto had_room = first->had_room.get_future();
    REQUIRE(had_room.wait_for(patience) == std::future_status::ready);
    CHECK(had_room.get());
  }
}
