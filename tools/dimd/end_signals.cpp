#include "tools/dimd/end_signals.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <limits>
#include <system_error>

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace dim::tools {

namespace {

using std::chrono::milliseconds;

/// Where the handler writes the numbers of signals.
std::atomic<int> written_to{-1};
static_assert(std::atomic<int>::is_always_lock_free);

extern "C" void note_end_signal(int number) {
  auto error = errno;
  auto byte = static_cast<unsigned char>(number);
  // A pipe that is full has told enough.
  [[maybe_unused]] auto size = ::write(written_to.load(), &byte, 1);
  errno = error;
}

}  // namespace

end_signals::end_signals() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
    throw std::system_error{errno, std::generic_category(), "a pipe for signals"};
  read_end_ = runtime::descriptor{ends[0]};
  write_end_ = runtime::descriptor{ends[1]};
  written_to = write_end_.number();
  struct sigaction action {};
  action.sa_handler = note_end_signal;
  action.sa_flags = SA_RESTART;
  ::sigfillset(&action.sa_mask);
  for (auto number : {SIGTERM, SIGINT, SIGHUP}) {
    struct sigaction present {};
    ::sigaction(number, nullptr, &present);
    if (number == SIGHUP && present.sa_handler == SIG_IGN)
      continue;
    before_.emplace(number, present);
    ::sigaction(number, &action, nullptr);
  }
}

end_signals::~end_signals() {
  for (auto& [number, action] : before_)
    ::sigaction(number, &action, nullptr);
  written_to = -1;
}

int end_signals::next(milliseconds patience) {
  constexpr milliseconds longest{std::numeric_limits<int>::max()};
  auto wait_ms = static_cast<int>(std::clamp(patience, milliseconds{-1}, longest).count());
  pollfd wanted{read_end_.number(), POLLIN, 0};
  unsigned char byte = 0;
  if (::poll(&wanted, 1, wait_ms) <= 0 || ::read(read_end_.number(), &byte, 1) != 1)
    return 0;
  return byte;
}

int end_signals::wait() {
  int number = 0;
  while (number == 0)
    number = next(milliseconds{-1});
  return number;
}

int end_signals::wait_for_order(milliseconds patience) {
  using clock_type = std::chrono::steady_clock;
  auto end = clock_type::now() + patience;
  for (auto left = patience; left > milliseconds{0};
       left = std::chrono::ceil<milliseconds>(end - clock_type::now()))
    if (auto number = next(left); number == SIGTERM || number == SIGINT)
      return number;
  return 0;
}

}  // namespace dim::tools
