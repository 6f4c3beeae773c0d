// dimd: the daemon. Orchestrator, gateway and node, in any mix, until SIGTERM, SIGINT or SIGHUP.
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include "config/load.hpp"
#include "runtime/log.hpp"
#include "runtime/machine.hpp"
#include "tools/dimd/daemon.hpp"
#include "tools/dimd/end_signals.hpp"

namespace {

/// A key that is pressed once may reach the process from the terminal and from whoever started it.
constexpr std::chrono::milliseconds one_signal{1000};

/// Ends the process at another order, or after `patience`, if it still runs then: a thread that
/// hangs, say in a model, can not be stopped, and all that must last is on disk before it is told.
void do_not_outlast(const std::shared_ptr<dim::tools::end_signals>& signals,
                    std::chrono::milliseconds patience) {
  std::thread{[signals, patience] {
    auto start = std::chrono::steady_clock::now();
    auto passed = [start] {
      return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now()
                                                                   - start);
    };
    int signal = 0;
    while (passed() < patience && (signal == 0 || passed() < one_signal))
      signal = signals->wait_for_order(patience - passed());
    dim::runtime::log(dim::runtime::log_level::error, "DIMD", "ends before all has stopped",
                      {{"reason", signal > 0 ? "got another signal" : "waited long enough"}});
    dim::runtime::close_log();
    std::_Exit(1);
  }}.detach();
}

/// Tells the log why the daemon does not start, and standard error where the log is not there.
void tell_failed_start(const dim::runtime::failure& why, const dim::config::log_options& log) {
  std::string reason{to_string(why.code)};
  reason += ": " + why.message;
  for (const auto& detail : why.details)
    reason += "; " + detail;
  dim::runtime::log(dim::runtime::log_level::error, "DIMD", "can not start", {{"reason", reason}});
  if (!log.file.empty() || !dim::runtime::is_logged(dim::runtime::log_level::error))
    std::cerr << "dimd: " << reason << "\n";
}

}  // namespace

int main(int argc, char** argv) {
  auto loaded = dim::config::load(argc, argv, dim::config::process_environment());
  if (!loaded.is_ready())
    return dim::config::report(loaded, std::cout, std::cerr);
  std::signal(SIGPIPE, SIG_IGN);
  auto signals = std::make_shared<dim::tools::end_signals>();
  if (auto opened = dim::runtime::open_log(loaded.values.log, "dimd"); !opened) {
    std::cerr << "dimd: " << opened.error().message << "\n";
    return 1;
  }
  dim::runtime::raise_file_limit();
  dim::tools::daemon daemon{loaded.values};
  if (auto started = daemon.start(); !started) {
    tell_failed_start(started.error(), loaded.values.log);
    do_not_outlast(signals, daemon.stop_patience());
    daemon.stop();
    return 1;
  }
  daemon.announce(std::cout);
  dim::runtime::log(dim::runtime::log_level::info, "DIMD", "got a signal and stops",
                    {{"signal", signals->wait()}});
  do_not_outlast(signals, daemon.stop_patience());
  return daemon.stop() ? 0 : 1;
}
