#pragma once

#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "runtime/log.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

/// The log of this program, while it lives.
class log_file {
public:
  explicit log_file(const std::string& level = "info") {
    config::log_options options;
    options.level = level;
    options.file = folder_ / "log";
    REQUIRE(runtime::open_log(options, "test"));
  }
  ~log_file() {
    runtime::close_log();
  }

  /// What has been written up to now.
  std::string text() const {
    std::ifstream source{folder_ / "log"};
    return {std::istreambuf_iterator<char>{source}, {}};
  }
  std::vector<std::string> lines() const {
    std::vector<std::string> result;
    std::ifstream source{folder_ / "log"};
    for (std::string line; std::getline(source, line);)
      result.push_back(line);
    return result;
  }

private:
  temporary_folder folder_;
};

}  // namespace dim::tests
