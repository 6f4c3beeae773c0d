#include "tools/dimd/end_signals.hpp"

#include <doctest/doctest.h>

using namespace dim;

namespace {

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

TEST_CASE("SIGTERM and SIGINT are orders to end, and nothing else is") {
  auto orders = tools::orders_to_end();
  CHECK(sigismember(&orders, SIGTERM) == 1);
  CHECK(sigismember(&orders, SIGINT) == 1);
  CHECK(sigismember(&orders, SIGHUP) == 0);
}

TEST_CASE("a terminal that is closed ends a daemon, unless that was started to outlive it") {
  {
    hang_up usual{SIG_DFL};
    auto reasons = tools::reasons_to_end();
    CHECK(sigismember(&reasons, SIGHUP) == 1);
    CHECK(sigismember(&reasons, SIGTERM) == 1);
  }
  hang_up ignored{SIG_IGN};
  auto reasons = tools::reasons_to_end();
  CHECK(sigismember(&reasons, SIGHUP) == 0);
  CHECK(sigismember(&reasons, SIGTERM) == 1);
}
