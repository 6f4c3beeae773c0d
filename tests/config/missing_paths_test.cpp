#include "config/missing_paths.hpp"

#include <fstream>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"

using namespace dim;
using list = std::vector<std::string>;

namespace {

/// Of a process with this role, whose agent program is there.
config::options options_in(const tests::temporary_folder& folder, const char* role) {
  const auto program = folder / "agent";
  std::ofstream{program} << "#!/bin/sh\n";
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  config::options x;
  x.cluster.roles = {role};
  x.cluster.data_dir = folder.path().string();
  x.agent.program = program.string();
  config::resolve(x);
  return x;
}

}  // namespace

TEST_CASE("what a configuration leaves to its defaults is not missing") {
  const tests::temporary_folder folder;
  for (const char* role : {"orchestrator", "gateway", "node"})
    CHECK(config::missing_paths(options_in(folder, role)) == list{});
}

TEST_CASE("a program or a folder that an option names and that is not there is told by its name") {
  const tests::temporary_folder folder;
  auto x = options_in(folder, "node");
  x.agent.program = "/does-not-exist";
  x.node.cabinets_dir = "/no-cabinets";
  x.router.record_file = "/no-folder/inference.log";
  CHECK(config::missing_paths(x)
        == list{"agent.program: expected a program, got \"/does-not-exist\"",
                "node.cabinets_dir: expected a folder, got \"/no-cabinets\""});
  x.cluster.roles = {"orchestrator"};
  CHECK(config::missing_paths(x)
        == list{"agent.program: expected a program, got \"/does-not-exist\"",
                "router.record_file: expected a file in a folder that is there, got "
                "\"/no-folder/inference.log\""});
  x.cluster.roles = {"gateway"};
  CHECK(config::missing_paths(x) == list{});
}

TEST_CASE("a file without the right to be run is no program, and a file is no folder") {
  const tests::temporary_folder folder;
  auto x = options_in(folder, "node");
  const auto file = folder / "file";
  std::ofstream{file} << "text";
  x.agent.program = file.string();
  x.node.cabinets_dir = file.string();
  CHECK(config::missing_paths(x).size() == 2);
  x.agent.program = folder.path().string();
  CHECK(config::missing_paths(x).size() == 2);
}
