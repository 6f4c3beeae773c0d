#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace dim::tests {

/// A program that runs until it is told to end, or the test does.
class process {
public:
  process() = default;
  /// Standard output and error go to `log`. The process dies with the thread that started it.
  process(const std::string& program, const std::vector<std::string>& arguments,
          const std::filesystem::path& log);
  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;
  ~process();

  std::int64_t pid() const {
    return pid_;
  }
  bool is_running();
  void signal(int number) const;
  /// SIGKILL, and waits until the system has taken everything back.
  void kill();
  /// Freezes the process as a debugger would: its connections stay open.
  void freeze() const;
  void thaw() const;
  /// Waits for its end: the exit status, 128 + signal, or nothing when it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);

private:
  std::int64_t pid_ = 0;
  std::optional<int> status_;
};

/// A process that runs below another one, which started it and waits for it.
struct child_process {
  std::int64_t pid = 0;
  /// Its command line, the words parted by blanks.
  std::string command;
};

/// The living children of `parent`, by pid: a node's agents.
std::vector<child_process> children_of(std::int64_t parent);

/// A program of the build under test.
std::string program_path(const std::string& name);

/// The end of a text file, at most `size` bytes of it.
std::string tail_of(const std::filesystem::path& file, std::size_t size);

}  // namespace dim::tests
