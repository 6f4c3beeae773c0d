#include "actors/faults/agent_processes.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include <unistd.h>

namespace dim::actors {

namespace {

std::string text_of(const std::filesystem::path& file) {
  std::ifstream input{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{input}, {}};
}

/// The fourth field of /proc/PID/stat; the second may hold anything, also blanks and brackets.
std::int64_t parent_in(const std::string& stat) {
  const auto bracket = stat.rfind(')');
  if (bracket == stat.npos || bracket + 4 > stat.size())
    return 0;
  return std::atoll(stat.c_str() + bracket + 4);
}

/// What stands behind "--label" in a command line whose words end with zeros.
std::optional<std::string> label_in(const std::string& words) {
  const std::string flag{"--label\0", 8};
  const auto at = words.find(flag);
  if (at == words.npos)
    return std::nullopt;
  const auto begin = at + flag.size();
  return words.substr(begin, words.find('\0', begin) - begin);
}

}  // namespace

std::vector<agent_child> list_agent_children() {
  std::vector<agent_child> result;
  std::error_code problem;
  for (const auto& entry : std::filesystem::directory_iterator{"/proc", problem}) {
    const auto number = entry.path().filename().string();
    if (number.find_first_not_of("0123456789") != number.npos)
      continue;
    if (parent_in(text_of(entry.path() / "stat")) != ::getpid())
      continue;
    if (const auto label = label_in(text_of(entry.path() / "cmdline")))
      result.push_back({std::atoll(number.c_str()), label->substr(0, label->find(':'))});
  }
  std::sort(result.begin(), result.end(),
            [](const auto& left, const auto& right) { return left.pid < right.pid; });
  return result;
}

}  // namespace dim::actors
