#pragma once

#include <cstddef>

#include "models/tensor.hpp"

namespace dim::models {

/// Bytes of data that the tensors hold here; none for those whose data is elsewhere.
inline std::size_t bytes_of(const tensor_list& tensors) {
  std::size_t bytes = 0;
  for (auto& each : tensors)
    bytes += each.data.size();
  return bytes;
}

}  // namespace dim::models
