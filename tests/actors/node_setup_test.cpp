// What a node finds out about itself before it starts.
#include <doctest/doctest.h>

#include "actors/node/node_tree.hpp"
#include "runtime/ids.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using actors::prepare_node;
using runtime::error_code;

namespace {

config::options options_in(const tests::temporary_folder& folder) {
  config::options options;
  options.cluster.data_dir = folder / "data";
  options.node.name = "here";
  options.node.owner = "ann";
  options.node.devices = {"cpu:0"};
  options.node.cabinets_dir = folder / "cabinets";
  return options;
}

}  // namespace

TEST_CASE("a node makes its id once and keeps it") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  auto first = prepare_node(options, {});
  REQUIRE(first);
  CHECK(runtime::is_uuid(first->facts.id));
  CHECK(runtime::time_of_id(first->facts.id) > 0);
  auto second = prepare_node(options, {});
  REQUIRE(second);
  CHECK(second->facts.id == first->facts.id);
  options.node.id = "0190b3f2-0000-7000-8000-000000000001";
  CHECK(prepare_node(options, {})->facts.id == options.node.id);
}

TEST_CASE("an id file that holds something else is not overwritten") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  tests::write_file(folder / "data" / "node_id", "not an id");
  auto setup = prepare_node(options, {});
  REQUIRE_FALSE(setup);
  CHECK(setup.error().code == error_code::internal);
  CHECK(setup.error().message.find("node_id") != std::string::npos);
}

TEST_CASE("facts tell of cores, memory, devices and slots, as configured or as they are") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  auto all = prepare_node(options, {});
  REQUIRE(all);
  CHECK(all->facts.name == "here");
  CHECK(all->facts.owner == "ann");
  CHECK(all->facts.cpu_cores == models::available_cores().size());
  CHECK(all->facts.memory_bytes == models::machine_memory_bytes());
  REQUIRE(all->facts.devices.size() == 1);
  CHECK(all->facts.devices[0].name == "cpu:0");
  CHECK(all->facts.devices[0].memory_bytes == all->facts.memory_bytes);
  CHECK(all->facts.devices[0].slots > 0);
  options.node.cpu_cores = 1;
  options.node.memory_bytes = 2'000'000'000;
  auto some = prepare_node(options, {});
  REQUIRE(some);
  CHECK(some->facts.cpu_cores == 1);
  CHECK(some->facts.devices[0].memory_bytes == 2'000'000'000);
}

TEST_CASE("GPUs keep their own memory, and core sets share that of the node") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  options.node.devices = {"cpu:0", "cuda:0"};
  options.node.memory_bytes = 2'000'000'000;
  models::device_info gpu{{models::device_kind::cuda, 0, 0}, "a GPU", 80, 16'000'000'000};
  auto setup = prepare_node(options, {gpu});
  REQUIRE(setup);
  REQUIRE(setup->facts.devices.size() == 2);
  CHECK(setup->facts.devices[0].memory_bytes == 2'000'000'000);
  CHECK(setup->facts.devices[1].memory_bytes == 16'000'000'000);
  CHECK(setup->facts.devices[1].kind == "cuda");
}

TEST_CASE("a device that is not there is refused") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  options.node.devices = {"cuda:7"};
  auto setup = prepare_node(options, {});
  REQUIRE_FALSE(setup);
  CHECK(setup.error().code == error_code::bad_input);
}

TEST_CASE("cabinets are offered by name, rows and columns, and broken ones are named") {
  tests::temporary_folder folder;
  auto options = options_in(folder);
  tests::write_file(folder / "cabinets" / "good" / "records.csv", "a\n1\n2\n");
  tests::write_file(folder / "cabinets" / "good" / "cabinet.toml",
                    "name = \"numbers\"\n[[tensors]]\nname = \"x\"\ndatatype = \"FP32\"\n"
                    "shape = [1]\nfile = \"records.csv\"\n");
  tests::write_file(folder / "cabinets" / "bad" / "cabinet.toml", "name = 7\n");
  auto setup = prepare_node(options, {});
  REQUIRE(setup);
  REQUIRE(setup->facts.cabinets.size() == 1);
  CHECK(setup->facts.cabinets[0].name == "numbers");
  CHECK(setup->facts.cabinets[0].rows == 2);
  CHECK(setup->facts.cabinets[0].columns == std::vector<std::string>{"x"});
  CHECK(setup->cabinets.contains("numbers"));
  REQUIRE_FALSE(setup->problems.empty());
  for (auto& problem : setup->problems)
    CHECK(problem.find("bad") != std::string::npos);
}
