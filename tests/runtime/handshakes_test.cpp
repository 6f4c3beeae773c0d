#include "runtime/handshakes.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <vector>

#include <doctest/doctest.h>

using namespace dim;
using std::chrono::milliseconds;

namespace {

/// Two ends of a connection.
struct connection {
  connection() {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
  }
  connection(const connection&) = delete;
  connection& operator=(const connection&) = delete;
  ~connection() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  bool is_cut_off() const {
    char byte = 0;
    return ::recv(ends[1], &byte, 1, 0) == 0;
  }

  std::array<int, 2> ends{};
};

}  // namespace

TEST_CASE("a handshake that lasts too long loses its connection, one that has ended does not") {
  auto all = std::make_shared<runtime::handshakes>(10, 100);
  runtime::handshakes::time_point start{};
  connection slow;
  connection quick;
  auto first = all->begin(slow.ends[0], start);
  auto second = all->begin(quick.ends[0], start);
  second.end();
  all->expire(start + milliseconds{99});
  CHECK_FALSE(slow.is_cut_off());
  all->expire(start + milliseconds{100});
  CHECK(slow.is_cut_off());
  CHECK(first.is_cut_off());
  CHECK_FALSE(quick.is_cut_off());
  CHECK(all->count() == 1);
  first.end();
  CHECK(all->count() == 0);
  CHECK(all->cut_off() == 1);
}

TEST_CASE("at most ten failures a second may stand in the log, and the next counts the others") {
  auto all = std::make_shared<runtime::handshakes>(10, 1'000);
  runtime::handshakes::time_point start{};
  connection one;
  auto ticket = all->begin(one.ends[0], start);
  for (int index = 0; index < 10; ++index)
    CHECK(ticket.may_report(start + milliseconds{index}) == 0);
  for (int index = 0; index < 7; ++index)
    CHECK_FALSE(ticket.may_report(start + milliseconds{999}));
  CHECK(ticket.may_report(start + milliseconds{1'000}) == 7);
  CHECK(ticket.may_report(start + milliseconds{1'001}) == 0);
}

TEST_CASE("one handshake too many costs the oldest one its connection") {
  auto all = std::make_shared<runtime::handshakes>(2, 1'000);
  runtime::handshakes::time_point now{};
  std::array<connection, 4> connections;
  std::vector<runtime::handshakes::ticket> tickets;
  for (const auto& each : connections)
    tickets.push_back(all->begin(each.ends[0], now));
  CHECK(connections[0].is_cut_off());
  CHECK(connections[1].is_cut_off());
  CHECK_FALSE(connections[2].is_cut_off());
  CHECK_FALSE(connections[3].is_cut_off());
  CHECK(all->cut_off() == 2);
  tickets.clear();
  CHECK(all->count() == 0);
}
