#pragma once

#include <string>

#include "tools/bench/http_load.hpp"

namespace dim::tools {

/// Sends the same request over and over, on each connection as soon as the answer before is here,
/// from one thread that does little else: the client takes from the server's cores what it must. An
/// answer counts when its status is 200. Answers need a `Content-Length`. `rate` is not looked at.
load_result run_steady_load(const load_options& options, const std::string& request);

}  // namespace dim::tools
