#include "runtime/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

namespace dim::runtime {

folder_lock::~folder_lock() {
  if (descriptor_ >= 0)
    ::close(descriptor_);
}

expected<folder_lock> folder_lock::take(const std::filesystem::path& folder) {
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem)
    return fail(error_code::internal,
                "the folder " + folder.string() + " can not be made: " + problem.message());
  const auto file = folder / "owner.lock";
  folder_lock lock{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)};
  if (lock.descriptor_ < 0)
    return fail(error_code::internal, "the file " + file.string() + " can not be opened: "
                                        + std::generic_category().message(errno));
  if (::flock(lock.descriptor_, LOCK_EX | LOCK_NB) != 0)
    return fail(error_code::unavailable,
                "another process works in the folder " + folder.string());
  return lock;
}

}  // namespace dim::runtime
