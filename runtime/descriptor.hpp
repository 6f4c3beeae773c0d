#pragma once

#include <utility>

#include <unistd.h>

namespace dim::runtime {

/// Owns a file descriptor of the system, and closes it.
class descriptor {
public:
  explicit descriptor(int number = -1) noexcept : number_(number) {
  }
  descriptor(descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {
  }
  descriptor& operator=(descriptor&& other) noexcept {
    if (this != &other) {
      close();
      number_ = std::exchange(other.number_, -1);
    }
    return *this;
  }
  ~descriptor() {
    close();
  }

  void close() noexcept {
    if (number_ >= 0)
      ::close(std::exchange(number_, -1));
  }

  /// -1 when there is none.
  int number() const noexcept {
    return number_;
  }

private:
  int number_;
};

}  // namespace dim::runtime
