#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "actors/store/records.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"
#include "runtime/store.hpp"

/// Which blobs the records of a database name.
namespace dim::actors {

/// The tables whose records hold tensors, and so name blobs.
inline constexpr std::array<const char*, 4> tensor_tables{tables::inputs, tables::executions,
                                                          tables::results, tables::steps};

/// Calls `visit` with every detached tensor in a record of `table`; false when the record can not
/// be read.
bool visit_detached(std::string_view table, std::string_view record,
                    const std::function<void(const models::tensor&)>& visit);

/// Size in bytes by digest.
using blob_sizes = std::map<std::string, std::uint64_t>;

/// Every blob that the database names. Errors: store_corrupt.
runtime::expected<blob_sizes> blobs_named_in(const runtime::transaction& snapshot);

}  // namespace dim::actors
