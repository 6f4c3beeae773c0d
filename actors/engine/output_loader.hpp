#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "actors/store/model_messages.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

namespace dim::actors {

/// Gathers the bytes of detached tensors, chunk by chunk. Pure: it says which chunk to ask for, and
/// is given the answer, one at a time.
class output_loader {
public:
  explicit output_loader(models::tensor_list tensors);

  /// The next chunk to ask for; nothing when all bytes are there.
  std::optional<fetch_chunk> next() const;

  /// Takes the answer to `next`. Errors: corrupt (an empty or oversized chunk, or all bytes
  /// together without the digest that was asked for).
  runtime::expected<void> take(const chunk& part);

  /// The tensors with their bytes, once `next` has nothing to ask for.
  models::tensor_list finish();

private:
  void skip_attached();

  models::tensor_list tensors_;
  /// The tensor that is being gathered, and what has come of it.
  std::size_t index_ = 0;
  std::vector<char> buffer_;
};

}  // namespace dim::actors
