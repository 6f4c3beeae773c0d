#include "tools/dimd/end_signals.hpp"

namespace dim::tools {

sigset_t orders_to_end() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

sigset_t reasons_to_end() {
  auto signals = orders_to_end();
  struct sigaction present {};
  ::sigaction(SIGHUP, nullptr, &present);
  // A signal that is blocked is kept for `sigwait` even where it is ignored.
  if (present.sa_handler != SIG_IGN)
    sigaddset(&signals, SIGHUP);
  return signals;
}

}  // namespace dim::tools
