#include "models/batch.hpp"

#include <algorithm>
#include <cstring>
#include <string>
#include <utility>

#include "runtime/copy_count.hpp"
#include "runtime/digest.hpp"

namespace dim::models {

namespace {

using runtime::error_code;

const tensor* find_tensor(const tensor_list& tensors, const std::string& name) {
  const auto found = std::find_if(tensors.begin(), tensors.end(),
                                  [&](const tensor& each) { return each.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

bool has_same_rows(const tensor& one, const tensor& other) {
  return one.type == other.type && !one.shape.empty() && one.shape.size() == other.shape.size()
         && std::equal(one.shape.begin() + 1, one.shape.end(), other.shape.begin() + 1);
}

/// The pieces of one input, one a request, checked to fit together; none when it is optional and no
/// request has it.
runtime::expected<std::vector<const tensor*>> pieces_of(const tensor_spec& declared,
                                                        const std::vector<tensor_list>& requests) {
  const std::string& name = declared.name;
  std::vector<const tensor*> pieces;
  pieces.reserve(requests.size());
  for (const tensor_list& request : requests) {
    const tensor* piece = find_tensor(request, name);
    if (piece == nullptr && declared.is_optional && pieces.empty())
      continue;
    if (piece == nullptr)
      return runtime::fail(error_code::bad_input, "input " + name + " is missing");
    if (piece->is_detached())
      return runtime::fail(error_code::bad_input, "input " + name + " came without its bytes");
    if (auto checked = check_size(*piece); !checked)
      return tl::unexpected(checked.error());
    if (requests.size() > 1 && !has_same_rows(*piece, pieces.empty() ? *piece : *pieces.front()))
      return runtime::fail(error_code::bad_input,
                           "input " + name + " does not have the same rows in every request");
    pieces.push_back(piece);
  }
  if (!pieces.empty() && pieces.size() != requests.size())
    return runtime::fail(error_code::bad_input,
                         "input " + name + " is not in every request of the batch");
  return pieces;
}

/// One copy of every piece, end to end.
tensor join_pieces(const std::vector<const tensor*>& pieces) {
  tensor joined = *pieces.front();
  std::size_t size = 0;
  joined.shape.front() = 0;
  for (const tensor* piece : pieces) {
    size += piece->data.size();
    joined.shape.front() += piece->shape.front();
  }
  std::vector<char> data;
  data.reserve(size);
  for (const tensor* piece : pieces)
    data.insert(data.end(), piece->data.data(), piece->data.data() + piece->data.size());
  runtime::note_copy(runtime::copy_place::batch, size);
  joined.data = runtime::bytes{std::move(data)};
  joined.byte_size = size;
  joined.digest.clear();
  return joined;
}

void seal(tensor& x, bool digests) {
  x.byte_size = x.data.size();
  if (digests)
    x.digest = runtime::sha256_hex(x.data.view());
  else
    x.digest.clear();
}

/// Where the rows `first` .. `first + count` lie in the data of `x`, as offset and size.
std::pair<std::size_t, std::size_t> range_of(const tensor& x, std::int64_t first,
                                             std::int64_t count) {
  const auto rows = static_cast<std::size_t>(x.shape.front());
  if (x.type != datatype::bytes) {
    const std::size_t row_size = x.data.size() / rows;
    return {static_cast<std::size_t>(first) * row_size, static_cast<std::size_t>(count) * row_size};
  }
  const auto elements_in_row = static_cast<std::size_t>(*element_count(x.shape)) / rows;
  std::size_t offset = 0;
  std::size_t begin = 0;
  const auto first_element = static_cast<std::size_t>(first) * elements_in_row;
  const auto last_element = static_cast<std::size_t>(first + count) * elements_in_row;
  for (std::size_t element = 0; element < last_element; ++element) {
    if (element == first_element)
      begin = offset;
    std::uint32_t length = 0;
    std::memcpy(&length, x.data.data() + offset, sizeof(length));
    offset += sizeof(length) + length;
  }
  return {begin, offset - begin};
}

runtime::expected<tensor> rows_of(const tensor& x, std::int64_t first, std::int64_t count,
                                  bool digests) {
  if (x.shape.empty() || first < 0 || count < 0 || x.shape.front() - first < count)
    return runtime::fail(error_code::bad_input, x.name + " does not have the rows asked for");
  if (auto checked = check_size(x); !checked)
    return tl::unexpected(checked.error());
  tensor result{x.name, x.type, x.shape, {}, {}, 0};
  result.shape.front() = count;
  if (count == x.shape.front()) {
    result.data = x.data;
  } else if (count > 0) {
    const auto [offset, size] = range_of(x, first, count);
    const char* begin = x.data.data() + offset;
    result.data = runtime::bytes{std::vector<char>(begin, begin + size)};
  }
  seal(result, digests);
  return result;
}

runtime::expected<tensor_list> rows_of_all(const tensor_list& tensors, std::int64_t first,
                                           std::int64_t count, bool digests) {
  tensor_list result;
  result.reserve(tensors.size());
  for (const tensor& each : tensors) {
    auto rows = rows_of(each, first, count, digests);
    if (!rows)
      return tl::unexpected(rows.error());
    result.push_back(std::move(*rows));
  }
  return result;
}

}  // namespace

bool can_join(const model_spec& spec, const tensor_list& one, const tensor_list& other) {
  if (spec.max_batch_size == 0)
    return false;
  return std::all_of(spec.inputs.begin(), spec.inputs.end(), [&](const tensor_spec& declared) {
    const tensor* first = find_tensor(one, declared.name);
    const tensor* second = find_tensor(other, declared.name);
    if (first == nullptr || second == nullptr)
      return declared.is_optional && first == second;
    return has_same_rows(*first, *second);
  });
}

runtime::expected<joined_batch> join_batch(const model_spec& spec,
                                           const std::vector<tensor_list>& requests) {
  if (requests.empty())
    return runtime::fail(error_code::bad_input, "a batch needs at least one request");
  if (spec.max_batch_size == 0 && requests.size() > 1)
    return runtime::fail(error_code::bad_input, "the model does not batch");
  joined_batch batch;
  for (const tensor_spec& declared : spec.inputs) {
    const auto pieces = pieces_of(declared, requests);
    if (!pieces)
      return tl::unexpected(pieces.error());
    if (pieces->empty())
      continue;
    batch.inputs.push_back(pieces->size() == 1 ? *pieces->front() : join_pieces(*pieces));
  }
  for (const tensor_list& request : requests)
    batch.rows.push_back(row_count(spec, request));
  return batch;
}

runtime::expected<tensor_list> take_rows(const tensor_list& tensors, std::int64_t first,
                                         std::int64_t count) {
  return rows_of_all(tensors, first, count, true);
}

tensor_list append_rows(const tensor_list& one, const tensor_list& other) {
  tensor_list joined;
  for (std::size_t index = 0; index < one.size(); ++index)
    joined.push_back(join_pieces({&one[index], &other[index]}));
  return joined;
}

runtime::expected<std::vector<tensor_list>> split_batch(const tensor_list& outputs,
                                                        const std::vector<std::int64_t>& rows,
                                                        bool digests) {
  std::vector<tensor_list> answers;
  answers.reserve(rows.size());
  if (rows.size() == 1) {
    answers.push_back(outputs);
    for (tensor& each : answers.front())
      seal(each, digests);
    return answers;
  }
  std::int64_t total = 0;
  for (const std::int64_t count : rows)
    total += count;
  for (const tensor& each : outputs)
    if (each.shape.empty() || each.shape.front() != total)
      return runtime::fail(error_code::bad_model, "output " + each.name
                                                    + " does not have one row for each of the "
                                                    + std::to_string(total) + " input rows");
  std::int64_t first = 0;
  for (const std::int64_t count : rows) {
    auto part = rows_of_all(outputs, first, count, digests);
    if (!part)
      return runtime::fail(error_code::bad_model, part.error().message);
    answers.push_back(std::move(*part));
    first += count;
  }
  return answers;
}

}  // namespace dim::models
