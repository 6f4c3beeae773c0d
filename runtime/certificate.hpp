#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "runtime/errors.hpp"

/// X.509 certificates and their keys, as files in PEM: reading them, and what is in them.
namespace dim::runtime {

using certificate_pointer = std::shared_ptr<X509>;
using key_pointer = std::shared_ptr<EVP_PKEY>;

/// What people and checks want to know of a certificate. Times are UTC, "2026-11-20T18:00:00Z".
struct certificate_facts {
  std::string subject;
  std::string issuer;
  /// "DNS:node-1" or "IP:192.0.2.7" each.
  std::vector<std::string> names;
  /// Hexadecimal, upper case.
  std::string serial;
  std::string not_before;
  std::string not_after;
  /// Seconds from `now` to its end; negative: it has expired.
  std::int64_t left_s = 0;
  /// Its beginning lies after `now`.
  bool is_early = false;
  /// May sign other certificates.
  bool is_authority = false;
  /// May stand at both ends of a connection.
  bool is_peer = false;
  /// "P-256", "RSA 2048".
  std::string key;
  /// SHA-256 of the whole certificate, hexadecimal, lower case.
  std::string fingerprint;
};

/// Every certificate of a PEM file, at least one. Errors: bad_input, in words that name the file.
expected<std::vector<certificate_pointer>> read_certificates(const std::filesystem::path& file);

/// The private key of a PEM file without a passphrase. Errors: bad_input, in words that name the
/// file.
expected<key_pointer> read_private_key(const std::filesystem::path& file);

/// `now_s` is in seconds since the Unix epoch.
certificate_facts facts_of(X509& certificate, std::int64_t now_s);

/// Whether `key` is the one for which `certificate` was issued.
bool fits(X509& certificate, EVP_PKEY& key);

/// Why `certificate` is not one of those that `authorities` have signed; empty: it is. Dates are
/// not looked at: `facts_of` tells them.
std::string untrusted_because(X509& certificate,
                              const std::vector<certificate_pointer>& authorities);

/// What this thread's last failed calls into OpenSSL have left behind, in words; forgets it.
std::string take_openssl_errors();

}  // namespace dim::runtime
