#include "gateway/base64.hpp"

#include <algorithm>

#include <openssl/evp.h>

namespace dim::gateway {

namespace {

/// OpenSSL takes lengths as int, so longer data goes in pieces: whole groups of 3 bytes, or of 4
/// characters.
constexpr std::size_t piece = 12u << 20;

const unsigned char* as_octets(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string to_base64(std::string_view data) {
  std::string result((data.size() + 2) / 3 * 4 + 1, '\0');
  std::size_t written = 0;
  for (std::size_t at = 0; at < data.size(); at += piece) {
    auto part = data.substr(at, piece);
    auto* target = reinterpret_cast<unsigned char*>(result.data() + written);
    written += EVP_EncodeBlock(target, as_octets(part), static_cast<int>(part.size()));
  }
  result.resize(written);
  return result;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0)
    return std::nullopt;
  std::size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=')
    ++padding;
  // EVP_DecodeBlock passes over white space, and takes '=' anywhere.
  auto is_digit = [](char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+'
           || c == '/';
  };
  if (!std::all_of(text.begin(), text.end() - static_cast<std::ptrdiff_t>(padding), is_digit))
    return std::nullopt;
  std::string result(text.size() / 4 * 3, '\0');
  std::size_t written = 0;
  for (std::size_t at = 0; at < text.size(); at += piece) {
    auto part = text.substr(at, piece);
    auto* target = reinterpret_cast<unsigned char*>(result.data() + written);
    auto length = EVP_DecodeBlock(target, as_octets(part), static_cast<int>(part.size()));
    if (length < 0)
      return std::nullopt;
    written += static_cast<std::size_t>(length);
  }
  result.resize(written - padding);
  return result;
}

}  // namespace dim::gateway
