#pragma once

#include <cstdint>
#include <vector>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// Joining requests into the inputs of one forward, and splitting its outputs again: on bytes,
/// without LibTorch, so that AGENT and INFERENCE can both use it.
namespace dim::models {

/// Requests joined along the batch dimension.
struct joined_batch {
  /// In the order of the model's declared inputs, without those that are left out.
  tensor_list inputs;
  /// One entry a request, in their order: how many rows of the batch are its own.
  std::vector<std::int64_t> rows;
};

/// Whether two checked requests of the same model may share a forward: the model batches, both have
/// the same inputs, and each of these has the same dims behind the batch dimension in both (they
/// may differ where a declared dim is -1). The sum of the rows is the caller's to watch.
bool can_join(const model_spec& spec, const tensor_list& one, const tensor_list& other);

/// Joins requests that `check_inputs` has accepted. One request alone is passed on by reference,
/// without a copy; several are copied once into new buffers. A model without batch dimension takes
/// exactly one request. Errors: bad_input (a declared input is missing, or an optional one is in
/// some of the requests only, dims differ behind the batch dimension, data is detached or of the
/// wrong size, no request at all).
runtime::expected<joined_batch> join_batch(const model_spec& spec,
                                           const std::vector<tensor_list>& requests);

/// The rows `first` .. `first + count` of every tensor, each with digest and size set. The first
/// dimension of each tensor is its rows. Taking all rows shares the bytes. Errors: bad_input (a
/// tensor without dimensions, or with fewer rows).
runtime::expected<tensor_list> take_rows(const tensor_list& tensors, std::int64_t first,
                                         std::int64_t count);

/// The rows of `other` behind those of `one`, tensor by tensor. Both must have the same tensors,
/// alike behind the first dimension and not of BYTES. Digests are empty.
tensor_list append_rows(const tensor_list& one, const tensor_list& other);

/// Splits the outputs of a forward by the rows of its requests, as `join_batch` gave them. Every
/// tensor of the answer has its size set, and its digest where `digests` are wanted. One request
/// alone gets the outputs as they are, sharing their bytes. Errors: bad_model (an output does not
/// have one row for each input row).
runtime::expected<std::vector<tensor_list>> split_batch(const tensor_list& outputs,
                                                        const std::vector<std::int64_t>& rows,
                                                        bool digests = true);

}  // namespace dim::models
