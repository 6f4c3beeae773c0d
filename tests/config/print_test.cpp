#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "config/draft.hpp"
#include "config/load.hpp"
#include "config/print.hpp"
#include "config/value.hpp"

using namespace dim::config;

namespace {

/// Every option of `x` as one text, to compare two of them.
std::string all_of(const options& x) {
  std::string result;
  for (const auto& option : descriptors())
    result += option.name() + " = " + to_toml(option, x) + "\n";
  return result;
}

draft read(const std::string& text) {
  draft result;
  read_text(text, "printed", result);
  return result;
}

}  // namespace

TEST_CASE("the printed defaults are read back equal") {
  auto x = read(print(options{}));
  CHECK(x.problems == std::vector<problem>{});
  CHECK(x.origins.size() == descriptors().size());
  CHECK(all_of(x.values) == all_of(options{}));
}

TEST_CASE("changed values of every kind are read back equal") {
  options changed;
  changed.store.sync = false;
  changed.gateway.port = 1;
  changed.store.map_bytes = 1 << 20;
  changed.reputation.disagreed = -1'000'000;
  changed.cluster.data_dir = "quote \" back \\ slash, tab \t, umlaut \u00e4, line\nbreak";
  changed.node.devices = {"cpu:0-1", "cuda:3"};
  auto x = read(print(changed));
  CHECK(x.problems == std::vector<problem>{});
  CHECK(all_of(x.values) == all_of(changed));
  CHECK(all_of(x.values) != all_of(options{}));
}

TEST_CASE("--print-config prints what file, environment and flags make, before it is resolved") {
  const char* arguments[] = {"dimd", "--print-config", "--gateway.port=5"};
  auto x = load(3, arguments, {{"DIM_GATEWAY_THREADS", "6"}});
  REQUIRE(x.problems == std::vector<problem>{});
  auto printed = read(x.answer);
  CHECK(printed.values.gateway.port == 5);
  CHECK(printed.values.gateway.threads == 6);
  CHECK(printed.values.agent.program == "");
}

TEST_CASE("config/dimd.toml is what `dimd --print-config` prints") {
  const char* arguments[] = {"dimd", "--print-config"};
  std::ifstream file{DIM_SOURCE_DIR "/config/dimd.toml"};
  const std::string stored{std::istreambuf_iterator<char>{file}, {}};
  CHECK(stored == load(2, arguments, {}).answer);
}

TEST_CASE("no printed line is longer than 100 characters") {
  const auto text = print(options{});
  std::size_t begin = 0;
  for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', begin)) {
    CHECK(end - begin <= 100);
    begin = end + 1;
  }
}
