#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>

#include "models/repository.hpp"
#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// The files of models that were sent with a load, in a folder of their own, each under its digest,
/// so that nodes fetch them like those of a repository. They are there as long as they are served;
/// nothing is taken over from an earlier process.
///
/// One actor owns it; it is not safe for threads. Every call may block on the disk.
class sent_store {
public:
  sent_store() = default;
  /// Removes what is in the folder. It is made with the first file.
  explicit sent_store(std::filesystem::path folder);

  /// Keeps `data`, if it is not there yet, and returns its digest. Errors: store_full, internal.
  runtime::expected<std::string> put(const runtime::bytes& data);

  /// Removes all others.
  void keep_only(const std::set<std::string>& digests);

  /// The bytes `offset` .. `offset + length` of the file with this digest, fewer at its end.
  /// Errors: not_found, internal.
  runtime::expected<file_block> read_chunk(const std::string& digest, std::uint64_t offset,
                                           std::uint64_t length) const;

  /// What there is, by digest.
  const std::set<std::string>& digests() const noexcept {
    return digests_;
  }

private:
  std::filesystem::path folder_;
  std::set<std::string> digests_;
};

}  // namespace dim::models
