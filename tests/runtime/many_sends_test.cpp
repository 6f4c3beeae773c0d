#include "runtime/many_sends.hpp"

#include <doctest/doctest.h>

#include <array>
#include <cerrno>
#include <string>
#include <vector>

#include <sys/socket.h>

#include "runtime/descriptor.hpp"

using dim::runtime::descriptor;
using dim::runtime::many_sends;
using dim::runtime::socket_send;

namespace {

/// Two ends of a connection.
struct connected {
  connected() {
    std::array<int, 2> ends{};
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()) == 0);
    near = descriptor{ends[0]};
    far = descriptor{ends[1]};
  }

  std::string received() const {
    std::string text(4096, '\0');
    auto size = ::recv(far.number(), text.data(), text.size(), MSG_DONTWAIT);
    text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
    return text;
  }

  descriptor near;
  descriptor far;
};

/// The same for both ways to send.
void check_both(void (*check)(many_sends&)) {
  many_sends joined;
  MESSAGE("one call for many: " << joined.is_joined());
  check(joined);
  many_sends single;
  single.use_single_calls();
  CHECK_FALSE(single.is_joined());
  check(single);
}

socket_send order(const connected& to, const std::string& text) {
  return {to.near.number(), text.data(), text.size(), 0};
}

}  // namespace

TEST_CASE("each socket gets its own bytes, however many there are") {
  check_both([](many_sends& sends) {
    constexpr std::size_t count = many_sends::group_max * 2 + 5;
    std::vector<connected> pairs(count);
    for (int turn = 0; turn < 3; ++turn) {
      std::vector<std::string> texts;
      for (std::size_t number = 0; number < count; ++number)
        texts.push_back(std::to_string(turn) + ":" + std::to_string(number));
      std::vector<socket_send> orders;
      for (std::size_t number = 0; number < count; ++number)
        orders.push_back(order(pairs[number], texts[number]));
      sends.send(orders);
      for (std::size_t number = 0; number < count; ++number) {
        CHECK(orders[number].result == static_cast<std::int64_t>(texts[number].size()));
        CHECK(pairs[number].received() == texts[number]);
      }
    }
  });
}

TEST_CASE("a socket that is full or closed holds up no other") {
  check_both([](many_sends& sends) {
    connected full;
    std::string block(1 << 16, 'x');
    while (::send(full.near.number(), block.data(), block.size(), MSG_DONTWAIT) > 0) {
    }
    connected closed;
    closed.far.close();
    connected open;
    std::string text = "text";
    std::array<socket_send, 4> orders{order(full, block), order(closed, text), socket_send{},
                                      order(open, text)};
    sends.send(orders);
    CHECK(orders[0].result == -EAGAIN);
    CHECK(orders[1].result == -EPIPE);
    CHECK(orders[3].result == 4);
    CHECK(open.received() == "text");
  });
}

TEST_CASE("a socket with little room takes a part, and says how much") {
  check_both([](many_sends& sends) {
    connected narrow;
    connected other;
    std::string large(8 << 20, 'x');
    std::string text = "text";
    std::array<socket_send, 2> orders{order(narrow, large), order(other, text)};
    sends.send(orders);
    CHECK(orders[0].result > 0);
    CHECK(orders[0].result < static_cast<std::int64_t>(large.size()));
    CHECK(orders[1].result == 4);
  });
}
