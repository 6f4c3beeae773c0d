#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <openssl/types.h>

#include "config/options.hpp"
#include "runtime/errors.hpp"

namespace dim::runtime {

/// What a process shows its peers and demands of them: its certificate and key, and the cluster's
/// authority. Read once, so that no connection depends on files that somebody is about to replace.
/// Every peer must show a certificate of that authority, in TLS 1.2 or later; names are not looked
/// at. Any thread may use it.
class tls_context {
public:
  /// Reads and checks the files that `options` name. Errors: bad_input, with every problem as a
  /// detail: a file that can not be read or is not PEM, a key that others may read or that is not
  /// the certificate's, a certificate of another authority, or outside its dates.
  static expected<std::shared_ptr<const tls_context>> load(const config::tls_options& options,
                                                           std::int64_t now_s);

  /// Lives as long as this object.
  SSL_CTX* get() const noexcept {
    return context_.get();
  }
  const std::string& subject() const noexcept {
    return subject_;
  }
  /// What will be a problem soon: a certificate in its last 30 days.
  const std::vector<std::string>& warnings() const noexcept {
    return warnings_;
  }

private:
  tls_context() = default;

  std::shared_ptr<SSL_CTX> context_;
  std::string subject_;
  std::vector<std::string> warnings_;
};

/// Whether the options name files: all three, or none (`config` has seen to that).
bool is_wanted(const config::tls_options& options);

}  // namespace dim::runtime
