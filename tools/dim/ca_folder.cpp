#include "tools/dim/ca_folder.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <system_error>

namespace dim::tools {

namespace {

constexpr std::int64_t day_s = 24 * 3600;
/// How far the clocks of two machines may differ.
constexpr std::int64_t clock_skew_s = 3600;

bool is_name(const std::string& text) {
  auto fits = [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '-' || c == '_' || c == '.';
  };
  return !text.empty() && text.size() <= 50
         && std::isalnum(static_cast<unsigned char>(text.front())) != 0
         && std::all_of(text.begin(), text.end(), fits);
}

outcome<void> check_name(const std::string& text) {
  if (!is_name(text))
    return fail(exit_status::usage, "\"" + text
                                      + "\" is no name: 1 to 50 letters, digits, '-', '_' and '.', "
                                        "first a letter or digit");
  return {};
}

outcome<void> write_new(const std::filesystem::path& file, const std::string& text, int mode) {
  auto problem = [&file](int reason) {
    return fail(reason == EEXIST ? exit_status::usage : exit_status::failed,
                "can not write " + file.string() + ": " + std::generic_category().message(reason));
  };
  auto out = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  if (out < 0)
    return problem(errno);
  std::size_t done = 0;
  auto reason = 0;
  while (done < text.size() && reason == 0) {
    auto step = ::write(out, text.data() + done, text.size() - done);
    if (step >= 0)
      done += static_cast<std::size_t>(step);
    else if (errno != EINTR)
      reason = errno;
  }
  if (reason == 0 && ::fsync(out) != 0)
    reason = errno;
  ::close(out);
  if (reason == 0)
    return {};
  ::unlink(file.c_str());
  return problem(reason);
}

}  // namespace

std::filesystem::path ca_folder::certificate_of(const std::string& name) const {
  return folder_ / (name + ".pem");
}

std::filesystem::path ca_folder::key_of(const std::string& name) const {
  return folder_ / (name + ".key");
}

outcome<made_certificate> ca_folder::init(const std::string& cluster, std::uint32_t days,
                                          std::int64_t now_s) const {
  if (auto name = check_name(cluster); !name)
    return tl::unexpected(name.error());
  std::error_code problem;
  std::filesystem::create_directories(folder_, problem);
  if (problem)
    return fail(exit_status::failed,
                "can not make the folder " + folder_.string() + ": " + problem.message());
  auto made = make_authority(cluster, {now_s - clock_skew_s, now_s + days * day_s});
  return made ? store(authority, std::move(*made)) : made;
}

outcome<made_certificate> ca_folder::issue(const std::string& node, std::vector<std::string> hosts,
                                           std::uint32_t days, std::int64_t now_s) const {
  if (auto name = check_name(node); !name)
    return tl::unexpected(name.error());
  if (node == authority)
    return fail(exit_status::usage, "\"" + node + "\" is the name of the authority's own files");
  auto signer = read_authority(now_s);
  if (!signer)
    return signer;
  if (hosts.empty() && is_host_name(node))
    hosts.push_back(node);
  auto end_of_all = now_s + runtime::facts_of(*signer->certificate, now_s).left_s;
  auto until = std::min(now_s + days * day_s, end_of_all);
  auto made = issue_certificate(*signer, node, hosts, {now_s - clock_skew_s, until});
  return made ? store(node, std::move(*made)) : made;
}

outcome<made_certificate> ca_folder::read_authority(std::int64_t now_s) const {
  auto certificates = runtime::read_certificates(certificate_of(authority));
  if (!certificates)
    return fail(exit_status::usage, certificates.error().message + "; \"dim ca init\" makes one");
  auto key = runtime::read_private_key(key_of(authority));
  if (!key)
    return fail(exit_status::usage, key.error().message);
  made_certificate result{certificates->front(), *key};
  auto facts = runtime::facts_of(*result.certificate, now_s);
  auto file = certificate_of(authority).string();
  if (!facts.is_authority)
    return fail(exit_status::usage, file + " is not the certificate of an authority");
  if (facts.left_s <= 0)
    return fail(exit_status::usage, file + " has expired at " + facts.not_after);
  if (!runtime::fits(*result.certificate, *result.key))
    return fail(exit_status::usage,
                key_of(authority).string() + " is not the key of " + file);
  return result;
}

outcome<made_certificate> ca_folder::store(const std::string& name, made_certificate made) const {
  // With the key first, a certificate that exists has its key.
  if (auto written = write_new(key_of(name), to_pem(*made.key), 0600); !written)
    return tl::unexpected(written.error());
  if (auto written = write_new(certificate_of(name), to_pem(*made.certificate), 0644); !written) {
    ::unlink(key_of(name).c_str());
    return tl::unexpected(written.error());
  }
  return made;
}

}  // namespace dim::tools
