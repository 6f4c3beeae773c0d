#pragma once

#include <chrono>
#include <filesystem>

#include "runtime/errors.hpp"

namespace dim::tools {

/// The floor of durable submissions: one thread that makes the same job, writes every put which a
/// submission makes (all tables, same keys, same values, events numbered), and commits in batches
/// of 32 with fsync. Returns submissions a second. `folder` is made and removed again.
runtime::expected<double> bare_submissions_per_second(const std::filesystem::path& folder,
                                                      std::chrono::milliseconds duration);

}  // namespace dim::tools
