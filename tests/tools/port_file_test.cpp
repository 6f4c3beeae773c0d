#include "tools/dimd/port_file.hpp"

#include <fstream>
#include <iterator>

#include <unistd.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/support/file_size_limit.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;

namespace {

constexpr tools::ports_in_use ports{7'411, 8'080};

std::string text_of(const std::filesystem::path& file) {
  std::ifstream input{file};
  return {std::istreambuf_iterator<char>{input}, {}};
}

}  // namespace

TEST_CASE("the port file tells the process and its ports, until it is removed") {
  const tests::temporary_folder folder;
  const auto file = folder / "ports.json";
  REQUIRE(tools::write_port_file(file, ports));
  const auto told = nlohmann::json::parse(text_of(file));
  CHECK(told == nlohmann::json{{"pid", ::getpid()}, {"cluster", 7'411}, {"gateway", 8'080}});
  tools::remove_port_file(file, ports);
  CHECK(std::filesystem::is_empty(folder.path()));
}

TEST_CASE("a port file that can not be written whole is refused by its option, and not there") {
  const tests::temporary_folder folder;
  const auto file = folder / "ports.json";
  runtime::expected<void> written;
  {
    const tests::file_size_limit full_disk{0};
    written = tools::write_port_file(file, ports);
  }
  REQUIRE_FALSE(written);
  CHECK(written.error().code == runtime::error_code::unavailable);
  CHECK(written.error().message.starts_with("cluster.port_file: can not write " + file.string()));
  CHECK(std::filesystem::is_empty(folder.path()));
  CHECK_FALSE(tools::write_port_file(folder / "nowhere/ports.json", ports));
}

TEST_CASE("the port file of another process stays") {
  const tests::temporary_folder folder;
  const auto file = folder / "ports.json";
  std::ofstream{file} << "{\"pid\":1}\n";
  tools::remove_port_file(file, ports);
  CHECK(text_of(file) == "{\"pid\":1}\n");
}
