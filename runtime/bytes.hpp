#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/copy_count.hpp"

namespace dim::runtime {

/// Shared, immutable bytes: the payload of every tensor, blob chunk and stored value. Copying the
/// handle copies a reference; the bytes themselves are written once. `std::vector<char>` because
/// CAF serialises it in one block (13 to 40 times cheaper than numbers) and exactly.
class bytes {
public:
  bytes() = default;

  /// Takes over the buffer without copying it.
  explicit bytes(std::vector<char> buffer)
    : buffer_(std::make_shared<const std::vector<char>>(std::move(buffer))) {
  }

  /// Copies `text`; for small values.
  static bytes copy_of(std::string_view text) {
    return bytes{std::vector<char>(text.begin(), text.end())};
  }

  const char* data() const noexcept {
    return buffer_ ? buffer_->data() : nullptr;
  }
  std::size_t size() const noexcept {
    return buffer_ ? buffer_->size() : 0;
  }
  bool empty() const noexcept {
    return size() == 0;
  }
  std::string_view view() const noexcept {
    return {data(), size()};
  }
  const std::vector<char>& vector() const noexcept {
    static const std::vector<char> nothing;
    return buffer_ ? *buffer_ : nothing;
  }

  bool operator==(const bytes& other) const noexcept {
    return buffer_ == other.buffer_ || view() == other.view();
  }

private:
  std::shared_ptr<const std::vector<char>> buffer_;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, bytes& x) {
  if constexpr (Inspector::writes_state) {
    std::vector<char> buffer;
    auto&& result = f(buffer);
    note_copy(copy_place::decode, buffer.size());
    x = bytes{std::move(buffer)};
    return static_cast<typename Inspector::result_type>(result);
  } else {
    note_copy(copy_place::encode, x.size());
    return f(const_cast<std::vector<char>&>(x.vector()));
  }
}

}  // namespace dim::runtime
