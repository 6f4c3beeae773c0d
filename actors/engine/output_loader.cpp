#include "actors/engine/output_loader.hpp"

#include <algorithm>
#include <utility>

#include "runtime/digest.hpp"

namespace dim::actors {

namespace {

constexpr std::uint64_t chunk_bytes_max = 1 << 20;

}  // namespace

output_loader::output_loader(models::tensor_list tensors) : tensors_(std::move(tensors)) {
  skip_attached();
}

std::optional<fetch_chunk> output_loader::next() const {
  if (index_ == tensors_.size())
    return std::nullopt;
  const auto left = tensors_[index_].byte_size - buffer_.size();
  fetch_chunk request;
  request.digest = tensors_[index_].digest;
  request.offset = buffer_.size();
  request.length = static_cast<std::uint32_t>(std::min(left, chunk_bytes_max));
  return request;
}

runtime::expected<void> output_loader::take(const chunk& part) {
  auto& tensor = tensors_[index_];
  const auto left = tensor.byte_size - buffer_.size();
  if (part.data.empty() || part.data.size() > left)
    return runtime::fail(runtime::error_code::corrupt,
                         "a chunk of output '" + tensor.name + "' has the wrong size");
  buffer_.insert(buffer_.end(), part.data.data(), part.data.data() + part.data.size());
  if (buffer_.size() < tensor.byte_size)
    return {};
  if (runtime::sha256_hex({buffer_.data(), buffer_.size()}) != tensor.digest)
    return runtime::fail(runtime::error_code::corrupt,
                         "output '" + tensor.name + "' does not have its digest");
  tensor.data = runtime::bytes{std::exchange(buffer_, {})};
  ++index_;
  skip_attached();
  return {};
}

models::tensor_list output_loader::finish() {
  return std::move(tensors_);
}

void output_loader::skip_attached() {
  while (index_ < tensors_.size() && !tensors_[index_].is_detached())
    ++index_;
}

}  // namespace dim::actors
