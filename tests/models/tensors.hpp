#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"

namespace dim::tests {

/// A tensor of these elements, which are stored as they are in C++.
template <class Element>
models::tensor tensor_of(std::string name, models::datatype type, std::vector<std::int64_t> shape,
                         const std::vector<Element>& elements) {
  std::vector<char> data(elements.size() * sizeof(Element));
  if (!elements.empty())
    std::memcpy(data.data(), elements.data(), data.size());
  return models::make_tensor(std::move(name), type, std::move(shape), std::move(data));
}

inline models::tensor floats(std::string name, std::vector<std::int64_t> shape,
                             const std::vector<float>& elements) {
  return tensor_of(std::move(name), models::datatype::fp32, std::move(shape), elements);
}

inline models::tensor integers(std::string name, std::vector<std::int64_t> shape,
                               const std::vector<std::int64_t>& elements) {
  return tensor_of(std::move(name), models::datatype::int64, std::move(shape), elements);
}

/// A BYTES tensor: each text behind its length.
inline models::tensor texts(std::string name, std::vector<std::int64_t> shape,
                            const std::vector<std::string>& elements) {
  std::vector<char> data;
  for (const std::string& element : elements) {
    const auto length = static_cast<std::uint32_t>(element.size());
    const auto* bytes = reinterpret_cast<const char*>(&length);
    data.insert(data.end(), bytes, bytes + sizeof(length));
    data.insert(data.end(), element.begin(), element.end());
  }
  return models::make_tensor(std::move(name), models::datatype::bytes, std::move(shape),
                             std::move(data));
}

/// The elements of a tensor, as they are in C++.
template <class Element>
std::vector<Element> elements_of(const models::tensor& x) {
  std::vector<Element> elements(x.data.size() / sizeof(Element));
  if (!elements.empty())
    std::memcpy(elements.data(), x.data.data(), elements.size() * sizeof(Element));
  return elements;
}

/// A model with one FP32 input `x` of `inputs` numbers and one FP32 output `y` of `outputs`.
inline models::model_spec simple_spec(std::int64_t inputs, std::int64_t outputs,
                                      std::int64_t max_batch_size) {
  models::model_spec spec;
  spec.name = "simple";
  spec.max_batch_size = max_batch_size;
  spec.inputs.push_back({"x", models::datatype::fp32, {inputs}, {}});
  spec.outputs.push_back({"y", models::datatype::fp32, {outputs}, {}});
  return spec;
}

inline void write_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
}

/// Whether any of `lines` contains `words`.
inline bool any_contains(const std::vector<std::string>& lines, std::string_view words) {
  for (const std::string& line : lines)
    if (line.find(words) != std::string::npos)
      return true;
  return false;
}

}  // namespace dim::tests
