#include "gateway/http_cores.hpp"

#include <doctest/doctest.h>

using namespace dim;

namespace {

using core_list = std::vector<std::uint32_t>;

/// What HTTP gets in a process with these roles.
core_list chosen(std::vector<std::string> roles, const core_list& usable, bool bind = true) {
  config::options options;
  options.cluster.roles = std::move(roles);
  options.gateway.bind_threads = bind;
  return gateway::cores_for_http(options, usable);
}

}  // namespace

TEST_CASE("beside models HTTP keeps to the upper half of the cores, the larger one") {
  CHECK(chosen({"gateway", "node"}, {0, 1}) == core_list{1});
  CHECK(chosen({"gateway", "node"}, {0, 1, 2}) == core_list{1, 2});
  CHECK(chosen({"orchestrator", "gateway", "node"}, {0, 1, 2, 3}) == core_list{2, 3});
}

TEST_CASE("of the cores it is the upper half of those that this process may use") {
  CHECK(chosen({"gateway", "node"}, {5, 9, 64, 65}) == core_list{64, 65});
}

TEST_CASE("HTTP runs anywhere without models beside it, on one core, and where it was told to") {
  CHECK(chosen({"orchestrator", "gateway"}, {0, 1, 2, 3}).empty());
  CHECK(chosen({"gateway"}, {0, 1}).empty());
  CHECK(chosen({"gateway", "node"}, {0}).empty());
  CHECK(chosen({"gateway", "node"}, {}).empty());
  CHECK(chosen({"gateway", "node"}, {0, 1, 2, 3}, false).empty());
}
