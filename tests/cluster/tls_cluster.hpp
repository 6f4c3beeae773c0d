#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tests/cluster/local_cluster.hpp"
#include "tests/support/certificate_files.hpp"

/// What tests of clusters over TLS share.
namespace dim::tests {

/// The flags with which a daemon shows this certificate.
inline std::vector<std::string> tls_flags(const config::tls_options& files) {
  return {"--tls.certificate=" + files.certificate, "--tls.key=" + files.key,
          "--tls.ca=" + files.ca};
}

/// A job of each pattern with one model or several: single, replicated (two of two), collaborative,
/// comparative, chained. They need `pattern_models` and two nodes.
std::vector<nlohmann::json> job_of_each_pattern();

/// What `job_of_each_pattern` runs.
std::vector<std::string> pattern_models();

/// A small job for any node.
nlohmann::json small_job();

}  // namespace dim::tests
