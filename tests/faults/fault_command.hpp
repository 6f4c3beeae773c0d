#pragma once

#include <chrono>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/process.hpp"
#include "tests/cluster/samples.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

/// One `dim fault run`, and what it left behind.
struct fault_command {
  /// Waits for its end, or ends the test.
  void run(std::vector<std::string> arguments, std::chrono::seconds limit) {
    arguments.insert(arguments.begin(), {"fault", "run"});
    arguments.insert(arguments.end(), {"--json", report_file().string()});
    process command{program_path("dim"), arguments, log_file()};
    const auto ended = command.wait(limit);
    if (!ended)
      FAIL("dim fault run did not end:\n", said());
    status = *ended;
  }

  /// Runs a plan against a cluster of three nodes of its own.
  void run_locally(const std::filesystem::path& plan, std::chrono::seconds limit) {
    run({plan.string(), "--local", "3", "--samples", sample_folder().string(), "--set",
         "cluster.lost_ms=6000", "--set", "cluster.suspect_ms=2000"},
        limit);
  }

  std::filesystem::path write_plan(const std::string& text) const {
    const auto file = folder.path() / "plan.toml";
    std::ofstream{file} << text;
    return file;
  }

  nlohmann::json report() const {
    std::ifstream input{report_file()};
    return nlohmann::json::parse(input, nullptr, false);
  }
  std::string said() const {
    return tail_of(log_file(), 8'000);
  }
  std::filesystem::path report_file() const {
    return folder.path() / "report.json";
  }
  std::filesystem::path log_file() const {
    return folder.path() / "run.log";
  }

  temporary_folder folder;
  int status = -1;
};

}  // namespace dim::tests
