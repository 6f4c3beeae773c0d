#include "models/model_cache.hpp"

#include <algorithm>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>

namespace dim::models {

namespace {

namespace fs = std::filesystem;
using runtime::error_code;

constexpr std::string_view cached_suffix = ".pt";
constexpr std::string_view part_suffix = ".part";

/// Sets the file's time to now: the order of use that the next start reads.
void touch(const fs::path& path) {
  ::utimensat(AT_FDCWD, path.c_str(), nullptr, 0);
}

}  // namespace

model_cache::model_cache(model_cache_options options) : options_(std::move(options)) {
}

runtime::expected<model_cache> model_cache::open(model_cache_options options) {
  model_cache cache(std::move(options));
  if (auto read = cache.read_folder(); !read)
    return tl::unexpected(read.error());
  cache.make_room(0);
  return cache;
}

runtime::expected<void> model_cache::read_folder() {
  std::error_code error;
  fs::create_directories(options_.folder, error);
  std::vector<std::pair<std::int64_t, std::string>> by_time;
  for (fs::directory_iterator it(options_.folder, error), end; !error && it != end;
       it.increment(error)) {
    const fs::path& path = it->path();
    const std::string stem = path.stem().string();
    if (!runtime::is_digest(stem))
      continue;
    std::error_code ignored;
    if (path.extension() == part_suffix)
      fs::remove(path, ignored);
    else if (path.extension() == cached_suffix && it->is_regular_file(ignored))
      by_time.emplace_back(written_ns_of(path), stem);
  }
  if (error)
    return runtime::fail(error_code::internal, "can not use the model cache "
                                                 + options_.folder.string() + ": "
                                                 + error.message());
  std::sort(by_time.begin(), by_time.end());
  for (const auto& [time, digest] : by_time) {
    const std::uint64_t size = fs::file_size(path_of(digest), error);
    if (error)
      continue;
    files_.emplace(digest, cached_file{size, ++uses_, 0});
    used_bytes_ += size;
  }
  return {};
}

std::optional<fs::path> model_cache::lookup(std::string_view digest) {
  const auto found = files_.find(digest);
  if (found == files_.end())
    return std::nullopt;
  const fs::path path = path_of(digest);
  std::error_code error;
  if (!fs::exists(path, error)) {
    // Somebody else removed it; it has to be fetched again.
    forget(found);
    return std::nullopt;
  }
  found->second.last_use = ++uses_;
  touch(path);
  return path;
}

runtime::expected<void> model_cache::begin(const std::string& digest, std::uint64_t byte_size) {
  if (!runtime::is_digest(digest))
    return runtime::fail(error_code::bad_input, "\"" + digest + "\" is no SHA-256 digest");
  if (files_.contains(digest) || parts_.contains(digest))
    return runtime::fail(error_code::conflict, digest + " is cached or on its way already");
  if (byte_size > options_.bytes_max)
    return runtime::fail(error_code::too_large, "a model of " + std::to_string(byte_size)
                                                  + " bytes does not fit a cache of "
                                                  + std::to_string(options_.bytes_max));
  if (!make_room(byte_size))
    return runtime::fail(error_code::store_full, "the model cache is full of models in use");
  auto file = staged_file::create(options_.folder / (digest + std::string{part_suffix}));
  if (!file)
    return tl::unexpected(file.error());
  parts_.emplace(digest, part{std::move(*file), byte_size});
  return {};
}

runtime::expected<std::uint64_t> model_cache::append(const std::string& digest,
                                                     std::uint64_t offset, std::string_view data) {
  const auto found = parts_.find(digest);
  if (found == parts_.end())
    return runtime::fail(error_code::not_found, digest + " is not on its way");
  part& open = found->second;
  runtime::expected<void> appended;
  if (offset != open.file.size())
    appended = runtime::fail(error_code::bad_input, "expected the block at "
                                                      + std::to_string(open.file.size())
                                                      + ", got one at " + std::to_string(offset));
  else if (data.size() > open.byte_size - open.file.size())
    appended = runtime::fail(error_code::corrupt, "the file is larger than the announced "
                                                    + std::to_string(open.byte_size) + " bytes");
  else
    appended = open.file.append(data);
  if (!appended) {
    parts_.erase(found);
    return tl::unexpected(appended.error());
  }
  return open.file.size();
}

runtime::expected<fs::path> model_cache::commit(const std::string& digest) {
  auto node = parts_.extract(digest);
  if (node.empty())
    return runtime::fail(error_code::not_found, digest + " is not on its way");
  part& open = node.mapped();
  if (open.file.size() != open.byte_size)
    return runtime::fail(error_code::corrupt, "expected " + std::to_string(open.byte_size)
                                                + " bytes, got "
                                                + std::to_string(open.file.size()));
  const auto sealed = open.file.seal();
  if (!sealed)
    return tl::unexpected(sealed.error());
  if (*sealed != digest)
    return runtime::fail(error_code::corrupt, "the file has the digest " + *sealed + ", not "
                                                + digest);
  if (auto published = open.file.publish(path_of(digest)); !published)
    return tl::unexpected(published.error());
  files_.emplace(digest, cached_file{open.byte_size, ++uses_, 0});
  used_bytes_ += open.byte_size;
  return path_of(digest);
}

void model_cache::abandon(const std::string& digest) {
  parts_.erase(digest);
}

runtime::expected<void> model_cache::pin(std::string_view digest) {
  const auto found = files_.find(digest);
  if (found == files_.end())
    return runtime::fail(error_code::not_found, std::string{digest} + " is not cached");
  ++found->second.pins;
  return {};
}

void model_cache::unpin(std::string_view digest) {
  const auto found = files_.find(digest);
  if (found != files_.end() && found->second.pins > 0)
    --found->second.pins;
}

void model_cache::drop(std::string_view digest) {
  const auto found = files_.find(digest);
  if (found != files_.end())
    forget(found);
}

std::vector<std::string> model_cache::digests() const {
  std::vector<std::string> result;
  result.reserve(files_.size());
  for (const auto& entry : files_)
    result.push_back(entry.first);
  return result;
}

fs::path model_cache::path_of(std::string_view digest) const {
  return options_.folder / (std::string{digest} + std::string{cached_suffix});
}

std::uint64_t model_cache::announced_bytes() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& entry : parts_)
    sum += entry.second.byte_size;
  return sum;
}

bool model_cache::make_room(std::uint64_t byte_size) {
  std::uint64_t evictable = 0;
  for (const auto& [digest, file] : files_)
    evictable += file.pins == 0 ? file.byte_size : 0;
  const std::uint64_t wanted = byte_size + announced_bytes();
  // Nothing is evicted for a file that would not fit in the end.
  if (byte_size > 0 && used_bytes_ - evictable + wanted > options_.bytes_max)
    return false;
  while (used_bytes_ + wanted > options_.bytes_max) {
    auto victim = files_.end();
    for (auto it = files_.begin(); it != files_.end(); ++it)
      if (it->second.pins == 0
          && (victim == files_.end() || it->second.last_use < victim->second.last_use))
        victim = it;
    if (victim == files_.end())
      return false;
    forget(victim);
  }
  return true;
}

void model_cache::forget(file_map::iterator victim) {
  std::error_code error;
  std::filesystem::remove(path_of(victim->first), error);
  used_bytes_ -= victim->second.byte_size;
  files_.erase(victim);
}

}  // namespace dim::models
