#include "runtime/machine.hpp"

#include <array>
#include <charconv>
#include <fstream>
#include <iterator>

#include <sched.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <unistd.h>

namespace dim::runtime {

namespace {

std::string read_whole(const std::string& path) {
  std::ifstream source{path};
  return {std::istreambuf_iterator<char>{source}, {}};
}

/// Takes the next number off the front of `text`; nothing at the end of the line.
std::optional<std::uint64_t> take_number(std::string_view& text) {
  while (!text.empty() && text.front() == ' ')
    text.remove_prefix(1);
  std::uint64_t number = 0;
  auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{})
    return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

/// The value in bytes of a line such as "MemTotal:  16384 kB".
std::optional<std::uint64_t> kilobytes(std::string_view text, std::string_view key) {
  auto at = text.find(key);
  while (at != std::string_view::npos && at > 0 && text[at - 1] != '\n')
    at = text.find(key, at + 1);
  if (at == std::string_view::npos)
    return std::nullopt;
  auto rest = text.substr(at + key.size());
  while (!rest.empty() && (rest.front() == ':' || rest.front() == '\t'))
    rest.remove_prefix(1);
  auto number = take_number(rest);
  return number ? std::optional{*number * 1024} : std::nullopt;
}

}  // namespace

std::uint32_t cpu_meter::permille() {
  return permille_of(read_whole("/proc/stat"));
}

std::uint32_t cpu_meter::permille_of(std::string_view stat_text) {
  constexpr std::string_view head = "cpu ";
  if (stat_text.substr(0, head.size()) != head)
    return 0;
  stat_text.remove_prefix(head.size());
  // user, nice, system, idle, iowait, irq, softirq, steal; guest time is part of user.
  std::array<std::uint64_t, 8> times{};
  for (auto& time : times)
    time = take_number(stat_text).value_or(0);
  std::uint64_t total = 0;
  for (auto time : times)
    total += time;
  auto busy = total - times[3] - times[4];
  auto total_passed = total - total_;
  auto busy_passed = busy - busy_;
  // Counters of cores that went away may have gone back.
  auto usable = total > total_ && busy >= busy_;
  total_ = total;
  busy_ = busy;
  return usable ? static_cast<std::uint32_t>(busy_passed * 1000 / total_passed) : 0;
}

memory_facts machine_memory() {
  return memory_of(read_whole("/proc/meminfo"));
}

memory_facts memory_of(std::string_view meminfo_text) {
  return {kilobytes(meminfo_text, "MemTotal").value_or(0),
          kilobytes(meminfo_text, "MemAvailable").value_or(0)};
}

std::optional<std::uint64_t> process_memory(std::int64_t pid) {
  return process_memory_of(read_whole("/proc/" + std::to_string(pid) + "/status"));
}

std::optional<std::uint64_t> process_memory_of(std::string_view status_text) {
  auto anonymous = kilobytes(status_text, "RssAnon");
  auto shared = kilobytes(status_text, "RssShmem");
  if (!anonymous || !shared)
    return std::nullopt;
  return *anonymous + *shared;
}

std::uint64_t disk_free_bytes(const std::string& path) {
  struct statvfs facts {};
  if (::statvfs(path.c_str(), &facts) != 0)
    return 0;
  return std::uint64_t{facts.f_bavail} * facts.f_frsize;
}

std::string host_name() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0')
    return "localhost";
  return name.data();
}

std::uint64_t raise_file_limit() {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0)
    return 0;
  auto before = files.rlim_cur;
  files.rlim_cur = files.rlim_max;
  return ::setrlimit(RLIMIT_NOFILE, &files) == 0 ? files.rlim_max : before;
}

std::uint32_t core_count() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof(set), &set) != 0)
    return 1;
  auto count = CPU_COUNT(&set);
  return count > 0 ? static_cast<std::uint32_t>(count) : 1;
}

}  // namespace dim::runtime
