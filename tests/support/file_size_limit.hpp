#pragma once

#include <csignal>

#include <sys/resource.h>

#include <doctest/doctest.h>

namespace dim::tests {

/// While it lives, no file or memory file of this process grows beyond so many bytes, and a write
/// that would let it grow further is short, as on a disk that is getting full.
class file_size_limit {
public:
  explicit file_size_limit(rlim_t bytes) : ignored_(std::signal(SIGXFSZ, SIG_IGN)) {
    REQUIRE(::getrlimit(RLIMIT_FSIZE, &before_) == 0);
    const rlimit limited{bytes, before_.rlim_max};
    REQUIRE(::setrlimit(RLIMIT_FSIZE, &limited) == 0);
  }
  ~file_size_limit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, ignored_);
  }
  file_size_limit(const file_size_limit&) = delete;
  file_size_limit& operator=(const file_size_limit&) = delete;

private:
  void (*ignored_)(int);
  rlimit before_{};
};

}  // namespace dim::tests
