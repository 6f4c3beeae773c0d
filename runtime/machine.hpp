#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// What the operating system tells of this machine, from /proc and statvfs.
namespace dim::runtime {

/// Share of all cores that was in use, 0 to 1,000, between two calls of `permille`.
class cpu_meter {
public:
  /// Since the call before; the first call tells the average since the machine was started.
  std::uint32_t permille();

  /// The same from the text of /proc/stat. 0 when nothing has passed or the text is not understood.
  std::uint32_t permille_of(std::string_view stat_text);

private:
  std::uint64_t busy_ = 0;
  std::uint64_t total_ = 0;
};

struct memory_facts {
  std::uint64_t total_bytes = 0;
  /// What new work could have, caches included.
  std::uint64_t available_bytes = 0;
};

/// The machine's memory; zeros when it can not be read.
memory_facts machine_memory();

/// The same from the text of /proc/meminfo.
memory_facts memory_of(std::string_view meminfo_text);

/// Private and shared memory of a process in bytes: RssAnon + RssShmem, without the pages of files
/// that the kernel may drop. Nothing when there is no such process.
std::optional<std::uint64_t> process_memory(std::int64_t pid);

/// The same from the text of /proc/<pid>/status.
std::optional<std::uint64_t> process_memory_of(std::string_view status_text);

/// Bytes that this user may still write below `path`; 0 when it can not be read.
std::uint64_t disk_free_bytes(const std::string& path);

/// The machine's name in its network; "localhost" when it has none.
std::string host_name();

/// Lets this process open as many files and connections as it may: its soft limit becomes the hard
/// one. How many that are.
std::uint64_t raise_file_limit();

/// Cores that this process may use, at least 1.
std::uint32_t core_count();

}  // namespace dim::runtime
