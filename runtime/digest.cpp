#include "runtime/digest.hpp"

#include <array>
#include <new>
#include <stdexcept>

#include <openssl/evp.h>

namespace dim::runtime {

namespace {

constexpr std::size_t digest_text_size = 64;

bool is_lower_hex(char c) noexcept {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

}  // namespace

struct sha256_hasher::context {
  context() : handle(EVP_MD_CTX_new()) {
    if (handle == nullptr)
      throw std::bad_alloc();
    if (EVP_DigestInit_ex(handle, EVP_sha256(), nullptr) != 1) {
      EVP_MD_CTX_free(handle);
      throw std::runtime_error("OpenSSL has no SHA-256");
    }
  }
  context(const context&) = delete;
  context& operator=(const context&) = delete;
  ~context() {
    EVP_MD_CTX_free(handle);
  }

  EVP_MD_CTX* handle;
};

sha256_hasher::sha256_hasher() : context_(std::make_unique<context>()) {
}

sha256_hasher::~sha256_hasher() = default;
sha256_hasher::sha256_hasher(sha256_hasher&&) noexcept = default;
sha256_hasher& sha256_hasher::operator=(sha256_hasher&&) noexcept = default;

void sha256_hasher::update(const void* data, std::size_t size) {
  if (size > 0)
    EVP_DigestUpdate(context_->handle, data, size);
}

std::string sha256_hasher::finish() {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_DigestFinal_ex(context_->handle, digest.data(), &size);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  text.reserve(digest_text_size);
  for (unsigned int index = 0; index < size; ++index) {
    text.push_back(digits[digest[index] >> 4]);
    text.push_back(digits[digest[index] & 0x0f]);
  }
  return text;
}

std::string sha256_hex(std::string_view data) {
  sha256_hasher hasher;
  hasher.update(data);
  return hasher.finish();
}

bool is_digest(std::string_view text) noexcept {
  if (text.size() != digest_text_size)
    return false;
  for (const char c : text)
    if (!is_lower_hex(c))
      return false;
  return true;
}

}  // namespace dim::runtime
