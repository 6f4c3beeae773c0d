#include "tools/dimd/end_signals.hpp"

#include <doctest/doctest.h>

#include <chrono>
#include <thread>

using namespace dim;
using namespace std::chrono_literals;

namespace {

/// Only a defect takes so long.
constexpr auto patience = 60s;

/// What this process does with SIGHUP, for one test.
class hang_up {
public:
  explicit hang_up(void (*handler)(int)) : before_(std::signal(SIGHUP, handler)) {
  }
  ~hang_up() {
    std::signal(SIGHUP, before_);
  }

private:
  void (*before_)(int);
};

}  // namespace

TEST_CASE("each signal that ends a daemon is told, in order") {
  hang_up usual{SIG_DFL};
  tools::end_signals signals;
  std::raise(SIGHUP);
  std::raise(SIGTERM);
  CHECK(signals.wait() == SIGHUP);
  CHECK(signals.wait() == SIGTERM);
  CHECK(signals.wait_for_order(1ms) == 0);
}

TEST_CASE("a terminal that is gone is no order to end at once") {
  hang_up usual{SIG_DFL};
  tools::end_signals signals;
  std::raise(SIGHUP);
  std::raise(SIGINT);
  CHECK(signals.wait_for_order(patience) == SIGINT);
  CHECK(signals.wait_for_order(0ms) == 0);
}

TEST_CASE("a signal that comes to any thread is told") {
  tools::end_signals signals;
  std::thread{[] { ::pthread_kill(::pthread_self(), SIGTERM); }}.join();
  CHECK(signals.wait_for_order(patience) == SIGTERM);
}

TEST_CASE("a daemon that was started to outlive its terminal does not hear of its end") {
  hang_up ignored{SIG_IGN};
  tools::end_signals signals;
  std::raise(SIGHUP);
  std::raise(SIGTERM);
  CHECK(signals.wait() == SIGTERM);
}

TEST_CASE("afterwards the signals do what they did before") {
  hang_up ignored{SIG_IGN};
  struct sigaction before {};
  ::sigaction(SIGTERM, nullptr, &before);
  {
    tools::end_signals signals;
  }
  struct sigaction after {};
  ::sigaction(SIGTERM, nullptr, &after);
  auto is_as_before = after.sa_handler == before.sa_handler;
  CHECK(is_as_before);
}
