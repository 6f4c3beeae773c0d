#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace dim::tests {

/// What a plain loop over LibTorch reaches: the program on `device` ("cpu", "cuda:0"), batches of
/// `rows` rows of FP32 `dims` copied to it, and the first result copied back, for `seconds`.
/// Returns rows a second.
double bare_rows_per_second(const std::filesystem::path& path, const std::string& device,
                            std::int64_t rows, std::vector<std::int64_t> dims, double seconds);

}  // namespace dim::tests
