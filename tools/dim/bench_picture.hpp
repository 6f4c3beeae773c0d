#pragma once

#include <string>

#include "tools/bench/latency_histogram.hpp"

namespace dim::tools {

/// The distribution of latencies as an SVG picture: bars, as high as they have answers, over a
/// logarithmic axis, with lines at the quantiles that people ask for. `title` stands above it.
std::string latency_picture(const latency_histogram& latencies, const std::string& title);

}  // namespace dim::tools
