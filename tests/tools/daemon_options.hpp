#pragma once

#include <filesystem>

#include "config/options.hpp"

namespace dim::tests {

/// For a whole daemon in the test's own process, on free ports.
inline config::options daemon_options(const std::filesystem::path& folder) {
  config::options options;
  options.cluster.data_dir = folder.string();
  options.cluster.port = 0;
  options.gateway.port = 0;
  options.node.devices = {"cpu:0"};
  options.store.check_on_start = false;
  options.store.sync = false;
  options.supervision.backoff_ms = 10;
  options.log.level = "off";
  config::resolve(options);
  return options;
}

}  // namespace dim::tests
