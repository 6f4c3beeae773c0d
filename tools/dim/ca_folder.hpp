#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/dim/ca_maker.hpp"

namespace dim::tools {

/// The folder in which a cluster's certificates are made: `ca.pem` and `ca.key`, and `NAME.pem` and
/// `NAME.key` for each process. Nothing in it is ever written over.
class ca_folder {
public:
  explicit ca_folder(std::filesystem::path folder) : folder_(std::move(folder)) {
  }

  /// Makes the authority; valid from shortly before `now_s`, because clocks differ. Errors: usage
  /// (a name that can not be one, or files that exist), failed.
  outcome<made_certificate> init(const std::string& cluster, std::uint32_t days,
                                 std::int64_t now_s) const;

  /// Makes the certificate of `node`; never longer valid than the authority. Errors: usage (as
  /// above, or there is no authority), failed.
  outcome<made_certificate> issue(const std::string& node, std::vector<std::string> hosts,
                                  std::uint32_t days, std::int64_t now_s) const;

  std::filesystem::path certificate_of(const std::string& name) const;
  std::filesystem::path key_of(const std::string& name) const;

  /// The authority's own name among the files.
  static inline const std::string authority = "ca";

private:
  outcome<made_certificate> read_authority(std::int64_t now_s) const;
  /// The key can be read by its owner alone.
  outcome<made_certificate> store(const std::string& name, made_certificate made) const;

  std::filesystem::path folder_;
};

}  // namespace dim::tools
