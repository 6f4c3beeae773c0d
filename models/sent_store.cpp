#include "models/sent_store.hpp"

#include <system_error>
#include <utility>

#include "models/disk_file.hpp"
#include "runtime/digest.hpp"

namespace dim::models {

namespace fs = std::filesystem;
using runtime::error_code;

sent_store::sent_store(fs::path folder) : folder_(std::move(folder)) {
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

runtime::expected<std::string> sent_store::put(const runtime::bytes& data) {
  std::string digest = runtime::sha256_hex(data.view());
  if (digests_.contains(digest))
    return digest;
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error)
    return runtime::fail(error_code::internal, "can not make the folder " + folder_.string() + ": "
                                                 + error.message());
  if (auto written = write_atomically(folder_ / digest, data.view()); !written)
    return tl::unexpected(written.error());
  digests_.insert(digest);
  return digest;
}

void sent_store::keep_only(const std::set<std::string>& digests) {
  std::erase_if(digests_, [&](const std::string& each) {
    if (digests.contains(each))
      return false;
    // A file that stays costs space until the next start, and nothing else.
    std::error_code ignored;
    fs::remove(folder_ / each, ignored);
    return true;
  });
}

runtime::expected<file_block> sent_store::read_chunk(const std::string& digest,
                                                     std::uint64_t offset,
                                                     std::uint64_t length) const {
  if (!digests_.contains(digest))
    return runtime::fail(error_code::not_found, "no file that was sent has the digest " + digest);
  std::error_code error;
  const std::uint64_t size = fs::file_size(folder_ / digest, error);
  if (error)
    return runtime::fail(error_code::not_found, (folder_ / digest).string() + ": "
                                                  + error.message());
  auto block = read_block(folder_ / digest, offset, length);
  if (!block)
    return tl::unexpected(block.error());
  return file_block{std::move(*block), size};
}

}  // namespace dim::models
