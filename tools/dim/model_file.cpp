#include "tools/dim/model_file.hpp"

#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>
#include <vector>

#include <openssl/evp.h>

#include "runtime/digest.hpp"

namespace dim::tools {

namespace {

constexpr std::size_t block_bytes = 1 << 20;

std::string bytes_of_hex(const std::string& hex) {
  std::string result;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    unsigned value = 0;
    std::from_chars(hex.data() + i, hex.data() + i + 2, value, 16);
    result += static_cast<char>(value);
  }
  return result;
}

outcome<std::ifstream> open(const std::string& path) {
  std::error_code error;
  std::ifstream file{path, std::ios::binary};
  if (!file || std::filesystem::is_directory(path, error))
    return fail(exit_status::usage, "can not read " + path);
  return file;
}

}  // namespace

std::string base64(std::string_view bytes) {
  // EVP_EncodeBlock writes a terminating NUL behind its text.
  std::string result((bytes.size() + 2) / 3 * 4 + 1, '\0');
  const auto size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(result.data()),
                                    reinterpret_cast<const unsigned char*>(bytes.data()),
                                    static_cast<int>(bytes.size()));
  result.resize(static_cast<std::size_t>(size));
  return result;
}

outcome<std::string> digest_of_file(const std::string& path) {
  auto file = open(path);
  if (!file)
    return tl::unexpected(file.error());
  runtime::sha256_hasher hasher;
  std::vector<char> block(block_bytes);
  while (*file) {
    file->read(block.data(), static_cast<std::streamsize>(block.size()));
    hasher.update(block.data(), static_cast<std::size_t>(file->gcount()));
  }
  return "sha-256=" + base64(bytes_of_hex(hasher.finish()));
}

outcome<std::string> text_of_file(const std::string& path) {
  auto file = open(path);
  if (!file)
    return tl::unexpected(file.error());
  return std::string{std::istreambuf_iterator<char>{*file}, {}};
}

}  // namespace dim::tools
