#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "actors/engine/pattern.hpp"
#include "models/tensor.hpp"

namespace dim::tests {

/// An FP32 tensor of shape [1, n].
inline models::tensor floats(std::string name, const std::vector<float>& values) {
  std::vector<char> data(values.size() * sizeof(float));
  std::memcpy(data.data(), values.data(), data.size());
  return models::make_tensor(std::move(name), models::datatype::fp32,
                             {1, static_cast<std::int64_t>(values.size())}, std::move(data));
}

/// An INT64 tensor of shape [1, n].
inline models::tensor integers(std::string name, const std::vector<std::int64_t>& values) {
  std::vector<char> data(values.size() * sizeof(std::int64_t));
  std::memcpy(data.data(), values.data(), data.size());
  return models::make_tensor(std::move(name), models::datatype::int64,
                             {1, static_cast<std::int64_t>(values.size())}, std::move(data));
}

/// The outputs of a model with the one output "y".
inline models::tensor_list scores(const std::vector<float>& values) {
  return {floats("y", values)};
}

/// The same tensors without their bytes.
inline models::tensor_list all_detached(const models::tensor_list& tensors) {
  models::tensor_list result;
  for (auto& x : tensors)
    result.push_back(models::detached(x));
  return result;
}

/// `count` models named "m0", "m1", ..., each of version 1.
inline std::vector<actors::step_spec> steps(std::size_t count) {
  std::vector<actors::step_spec> result(count);
  for (std::size_t index = 0; index < count; ++index) {
    result[index].model = "m" + std::to_string(index);
    result[index].version = "1";
  }
  return result;
}

/// A model with one input "x" and one output "y", both FP32 [n], that batches.
inline models::model_spec model_of(std::int64_t inputs, std::int64_t outputs) {
  models::model_spec spec;
  spec.inputs = {{"x", models::datatype::fp32, {inputs}, {}}};
  spec.outputs = {{"y", models::datatype::fp32, {outputs}, {}}};
  spec.max_batch_size = 8;
  return spec;
}

/// The answer of `node` at a place. The execution is named after both.
inline actors::place_answer answer(actors::place_id place, std::string node,
                                   models::tensor_list outputs, std::uint64_t rows = 0) {
  actors::place_answer result;
  result.place = place;
  result.execution_id = node + "/" + std::to_string(place.step) + "/" + std::to_string(place.slot);
  result.node_id = std::move(node);
  result.digest = models::canonical_digest(outputs);
  result.outputs = std::move(outputs);
  result.rows = rows;
  return result;
}

inline actors::place_failure failure_at(actors::place_id place, std::string node,
                                        runtime::error_code code, std::string message = "broken",
                                        std::vector<std::string> details = {}) {
  return {place, std::move(node), {code, std::move(message), std::move(details)}};
}

/// All alternatives `T` among these actions or effects, in order.
template <class T, class Variant>
std::vector<T> all_of(const std::vector<Variant>& list) {
  std::vector<T> result;
  for (auto& entry : list)
    if (auto match = std::get_if<T>(&entry))
      result.push_back(*match);
  return result;
}

/// Whether there is one entry, and it is a `T`.
template <class T, class Variant>
bool is_only(const std::vector<Variant>& list) {
  return list.size() == 1 && std::holds_alternative<T>(list.front());
}

/// The only entry, if it is a `T`; else an empty `T`.
template <class T, class Variant>
T only(const std::vector<Variant>& list) {
  return is_only<T>(list) ? std::get<T>(list.front()) : T{};
}

}  // namespace dim::tests
