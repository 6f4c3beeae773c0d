#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "tools/sample_models/classifiers.hpp"
#include "tools/sample_models/patients.hpp"

/// The data that the sample models are run on, and what they must answer.
namespace dim::tools {

/// A ward and its records, as they go into its node's cabinet.
struct ward_records {
  ward seen;
  torch::Tensor records;
};

/// Writes `<folder>/<node>/patients/` for every ward: the first as a `.npy` file, the second as
/// CSV, the third as CSV with other columns between and in another order.
void write_cabinets(const std::filesystem::path& folder, const std::vector<ward_records>& wards);

/// Writes `digits.json` (for each class one held-out digit that every classifier labels rightly, as
/// `x` from 0 to 1 and as `raw` from 0 to 255) and `expected.json`: what the classifiers and their
/// majority answer to these digits, and the mean risk over the rows of all cabinets.
void write_samples(const std::filesystem::path& folder, const digit_set& held_out,
                   std::vector<sample_model>& classifiers, sample_model& risk,
                   const std::vector<ward_records>& wards);

}  // namespace dim::tools
