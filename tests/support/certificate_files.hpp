#pragma once

#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string>
#include <utility>

#include <sys/stat.h>

#include "config/options.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/dim/ca_maker.hpp"

namespace dim::tests {

/// An authority with the certificates that it has issued, as files. Link dim::client.
class certificate_files {
public:
  static constexpr std::int64_t day_s = 24 * 3600;

  explicit certificate_files(const std::string& cluster = "test")
    : now_s_(std::time(nullptr)),
      authority_(taken(tools::make_authority(cluster, {now_s_ - 100 * day_s,
                                                       now_s_ + 1000 * day_s}))) {
    write(ca(), tools::to_pem(*authority_.certificate));
  }

  /// Certificate and key of a process, valid from and until so many days from now.
  config::tls_options issue(const std::string& name, std::int64_t from_days = -1,
                            std::int64_t until_days = 100) const {
    auto made = taken(tools::issue_certificate(
      authority_, name, {name}, {now_s_ + from_days * day_s, now_s_ + until_days * day_s}));
    config::tls_options result;
    result.certificate = folder_ / (name + ".pem");
    result.key = folder_ / (name + ".key");
    result.ca = ca();
    write(result.certificate, tools::to_pem(*made.certificate));
    write(result.key, tools::to_pem(*made.key));
    return result;
  }

  std::string ca() const {
    return folder_ / "ca.pem";
  }
  std::int64_t now_s() const noexcept {
    return now_s_;
  }
  const tools::made_certificate& authority() const noexcept {
    return authority_;
  }
  const temporary_folder& folder() const noexcept {
    return folder_;
  }

  static void write(const std::string& file, const std::string& text) {
    std::ofstream{file} << text;
    ::chmod(file.c_str(), 0600);
  }

private:
  static tools::made_certificate taken(tools::outcome<tools::made_certificate> made) {
    if (!made)
      throw std::runtime_error(made.error().message);
    return std::move(*made);
  }

  temporary_folder folder_;
  std::int64_t now_s_;
  tools::made_certificate authority_;
};

}  // namespace dim::tests
