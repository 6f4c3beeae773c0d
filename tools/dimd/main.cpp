// dimd: the daemon. Orchestrator, gateway and node, in any mix, until SIGTERM or SIGINT.
#include <csignal>
#include <iostream>

#include "config/load.hpp"
#include "runtime/log.hpp"
#include "runtime/machine.hpp"
#include "tools/dimd/daemon.hpp"

namespace {

/// Signals must be blocked before the first thread starts, so that only `sigwait` takes them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return signals;
}

}  // namespace

int main(int argc, char** argv) {
  auto loaded = dim::config::load(argc, argv, dim::config::process_environment());
  if (!loaded.is_ready())
    return dim::config::report(loaded, std::cout, std::cerr);
  auto signals = block_signals();
  if (auto opened = dim::runtime::open_log(loaded.values.log, "dimd"); !opened) {
    std::cerr << "dimd: " << opened.error().message << "\n";
    return 1;
  }
  dim::runtime::raise_file_limit();
  dim::tools::daemon daemon{loaded.values};
  if (auto started = daemon.start(); !started) {
    std::cerr << "dimd: " << to_string(started.error().code) << ": " << started.error().message
              << "\n";
    for (const auto& detail : started.error().details)
      std::cerr << "  " << detail << "\n";
    daemon.stop();
    return 1;
  }
  daemon.announce(std::cout);
  int signal = 0;
  sigwait(&signals, &signal);
  dim::runtime::log(dim::runtime::log_level::info, "DIMD", "got a signal and stops",
                    {{"signal", signal}});
  return daemon.stop() ? 0 : 1;
}
