#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace dim::runtime {

/// SHA-256 as it grows, over OpenSSL's EVP interface.
class sha256_hasher {
public:
  sha256_hasher();
  ~sha256_hasher();
  sha256_hasher(sha256_hasher&&) noexcept;
  sha256_hasher& operator=(sha256_hasher&&) noexcept;

  void update(const void* data, std::size_t size);
  void update(std::string_view text) {
    update(text.data(), text.size());
  }
  /// 64 lower-case hex digits; the hasher is spent afterwards.
  std::string finish();

private:
  struct context;
  std::unique_ptr<context> context_;
};

/// SHA-256 of `data` as 64 lower-case hex digits.
std::string sha256_hex(std::string_view data);

/// Whether `text` is 64 lower-case hex digits.
bool is_digest(std::string_view text) noexcept;

}  // namespace dim::runtime
