#include "models/reshape.hpp"

#include <algorithm>

namespace dim::models {

namespace {

using shape_list = std::vector<std::int64_t>;

std::string text_of(const shape_list& dims) {
  std::string text = "[";
  for (const std::int64_t dim : dims)
    text += (text.size() == 1 ? "" : ", ") + std::to_string(dim);
  return text + "]";
}

/// The elements before, between and behind the open dims.
runtime::expected<std::vector<std::uint64_t>> counts_of(const shape_list& dims) {
  std::vector<std::uint64_t> counts;
  for (auto first = dims.begin();;) {
    const auto open = std::find(first, dims.end(), -1);
    const auto count = element_count(shape_list(first, open));
    if (!count)
      return tl::unexpected(count.error());
    counts.push_back(*count);
    if (open == dims.end())
      return counts;
    first = std::next(open);
  }
}

/// `shape`, which fits `from`, as it is where `to` stands in its place.
shape_list in_place_of(const shape_list& from, const shape_list& to, const shape_list& shape,
                       bool has_batch) {
  shape_list result(shape.begin(), shape.begin() + (has_batch ? 1 : 0));
  auto given = shape.begin() + (has_batch ? 1 : 0);
  shape_list open;
  for (const std::int64_t dim : from) {
    if (dim == -1)
      open.push_back(*given);
    ++given;
  }
  auto next = open.begin();
  for (const std::int64_t dim : to)
    result.push_back(dim == -1 ? *next++ : dim);
  return result;
}

}  // namespace

std::string reshape_problem(const tensor_spec& declared, bool has_batch) {
  if (!declared.is_reshaped)
    return {};
  const shape_list& dims = declared.dims;
  const shape_list& reshape = declared.reshape;
  for (const std::int64_t dim : reshape)
    if (dim != -1 && dim < 1)
      return "reshape: expected sizes of 1 or more, or -1 for any size, got " + std::to_string(dim);
  if (reshape.empty() && !has_batch)
    return "reshape: expected at least one size, for the model has no batch dimension";
  if (std::count(dims.begin(), dims.end(), -1) != std::count(reshape.begin(), reshape.end(), -1))
    return "reshape: expected as many sizes of -1 as in dims " + text_of(dims) + ", got "
           + text_of(reshape);
  const auto wanted = counts_of(dims);
  const auto given = counts_of(reshape);
  if (!wanted || !given || *wanted != *given)
    return "reshape: expected as many elements as in dims " + text_of(dims)
           + (wanted && wanted->size() > 1 ? ", also between the sizes of -1, got " : ", got ")
           + text_of(reshape);
  return {};
}

shape_list shape_for_model(const tensor_spec& declared, const shape_list& shape, bool has_batch) {
  if (!declared.is_reshaped)
    return shape;
  return in_place_of(declared.dims, declared.reshape, shape, has_batch);
}

bool fits_model(const tensor_spec& declared, const shape_list& shape, bool has_batch) {
  const shape_list& dims = declared.model_dims();
  const std::size_t skipped = has_batch ? 1 : 0;
  if (shape.size() != dims.size() + skipped)
    return false;
  return std::equal(dims.begin(), dims.end(), shape.begin() + static_cast<std::ptrdiff_t>(skipped),
                    [](std::int64_t dim, std::int64_t given) { return dim == -1 || dim == given; });
}

shape_list shape_for_client(const tensor_spec& declared, const shape_list& shape, bool has_batch) {
  if (!declared.is_reshaped)
    return shape;
  return in_place_of(declared.reshape, declared.dims, shape, has_batch);
}

}  // namespace dim::models
