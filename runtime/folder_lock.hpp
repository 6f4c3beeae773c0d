#pragma once

#include <filesystem>
#include <utility>

#include "runtime/errors.hpp"

namespace dim::runtime {

/// Keeps a second process out of a folder. The lock ends with the object, or with the process,
/// however it dies.
class folder_lock {
public:
  folder_lock() = default;
  folder_lock(folder_lock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {
  }
  folder_lock& operator=(folder_lock&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~folder_lock();

  /// Makes the folder when it is not there, and locks it. Errors: unavailable (another process, or
  /// another object of this one, holds it), internal (the folder can not be used).
  static expected<folder_lock> take(const std::filesystem::path& folder);

private:
  explicit folder_lock(int descriptor) noexcept : descriptor_(descriptor) {
  }

  int descriptor_ = -1;
};

}  // namespace dim::runtime
