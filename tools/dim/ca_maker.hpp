#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/certificate.hpp"
#include "tools/dim/outcome.hpp"

/// Makes the certificates of a cluster: its own authority, and one certificate a process.
namespace dim::tools {

/// From and to, in seconds since the Unix epoch.
struct validity {
  std::int64_t from_s = 0;
  std::int64_t until_s = 0;
};

/// A certificate with its key.
struct made_certificate {
  runtime::certificate_pointer certificate;
  runtime::key_pointer key;
};

/// An authority that signs itself and the certificates of `cluster`, but no other authorities. Key:
/// P-256. Errors: failed (what OpenSSL says).
outcome<made_certificate> make_authority(const std::string& cluster, validity when);

/// A certificate for both ends of a link. `hosts` are names and IP addresses; nothing checks them,
/// they are there for people and other programs. Errors: usage (a host that is neither), failed.
outcome<made_certificate> issue_certificate(const made_certificate& authority,
                                            const std::string& node,
                                            const std::vector<std::string>& hosts, validity when);

/// Whether `text` is a DNS name or an IP address.
bool is_host_name(const std::string& text);

std::string to_pem(X509& certificate);
/// Without a passphrase.
std::string to_pem(EVP_PKEY& key);

}  // namespace dim::tools
