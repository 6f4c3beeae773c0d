#include "runtime/tls_context.hpp"

#include <sys/stat.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "runtime/certificate.hpp"

namespace dim::runtime {

namespace {

constexpr std::int64_t day_s = 24 * 3600;
constexpr std::int64_t warn_before_s = 30 * day_s;

/// The three files, as far as they could be read, with all that is wrong with them.
struct tls_files {
  std::vector<certificate_pointer> chain;
  key_pointer key;
  std::vector<certificate_pointer> authorities;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;

  template <class T>
  void take(T& into, expected<T> read, const char* option) {
    if (read)
      into = std::move(*read);
    else
      add(option, read.error().message);
  }
  void add(const char* option, const std::string& words) {
    problems.push_back(std::string{"tls."} + option + ": " + words);
  }
};

void check_mode(const std::string& file, tls_files& files) {
  struct stat about {};
  if (::stat(file.c_str(), &about) == 0 && (about.st_mode & S_IRWXO) != 0)
    files.add("key", file + " may be used by everybody on this machine: chmod 600 it");
}

void check_dates(X509& certificate, const std::string& file, const char* option,
                 std::int64_t now_s, tls_files& files) {
  auto facts = facts_of(certificate, now_s);
  if (facts.is_early)
    files.add(option, file + " is not valid before " + facts.not_before);
  else if (facts.left_s < 0)
    files.add(option, file + " has expired at " + facts.not_after);
  else if (facts.left_s < warn_before_s)
    files.warnings.push_back(file + " expires at " + facts.not_after);
}

/// What can be said of the files only together.
void check_together(const config::tls_options& options, std::int64_t now_s, tls_files& files) {
  for (const auto& each : files.authorities) {
    check_dates(*each, options.ca, "ca", now_s, files);
    if (!facts_of(*each, now_s).is_authority)
      files.add("ca", options.ca + " holds a certificate that is no authority");
  }
  if (files.chain.empty())
    return;
  auto& own = *files.chain.front();
  check_dates(own, options.certificate, "certificate", now_s, files);
  if (!facts_of(own, now_s).is_peer)
    files.add("certificate", options.certificate + " is not meant for both ends of a connection");
  if (files.key && !fits(own, *files.key))
    files.add("key", options.key + " is not the key of " + options.certificate);
  if (files.authorities.empty())
    return;
  if (auto reason = untrusted_because(own, files.authorities); !reason.empty())
    files.add("certificate",
              options.certificate + " is not signed by " + options.ca + ": " + reason);
}

tls_files read_files(const config::tls_options& options, std::int64_t now_s) {
  tls_files files;
  files.take(files.chain, read_certificates(options.certificate), "certificate");
  files.take(files.key, read_private_key(options.key), "key");
  files.take(files.authorities, read_certificates(options.ca), "ca");
  check_mode(options.key, files);
  check_together(options, now_s, files);
  return files;
}

/// TLS 1.2 or later whatever the system's configuration says, no renegotiation, no resumption.
bool apply_rules(SSL_CTX* context) {
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION
                                 | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // A retried write comes from the same bytes, but CAF may have moved them.
  SSL_CTX_set_mode(context, SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_security_level(context, 2);
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) == 1
         && SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") == 1
         && SSL_CTX_set_num_tickets(context, 0) == 1;
}

bool install(SSL_CTX* context, const tls_files& files) {
  auto* store = SSL_CTX_get_cert_store(context);
  for (const auto& each : files.authorities)
    if (X509_STORE_add_cert(store, each.get()) != 1)
      return false;
  if (SSL_CTX_use_certificate(context, files.chain.front().get()) != 1
      || SSL_CTX_use_PrivateKey(context, files.key.get()) != 1)
    return false;
  for (std::size_t i = 1; i < files.chain.size(); ++i)
    if (SSL_CTX_add1_chain_cert(context, files.chain[i].get()) != 1)
      return false;
  return true;
}

}  // namespace

bool is_wanted(const config::tls_options& options) {
  return !options.certificate.empty();
}

expected<std::shared_ptr<const tls_context>> tls_context::load(const config::tls_options& options,
                                                               std::int64_t now_s) {
  auto files = read_files(options, now_s);
  auto refuse = [](std::vector<std::string> problems) {
    return fail(error_code::bad_input, "the files for TLS can not be used", std::move(problems));
  };
  if (!files.problems.empty())
    return refuse(std::move(files.problems));
  std::shared_ptr<tls_context> result{new tls_context};
  result->context_ = {SSL_CTX_new(TLS_method()), &SSL_CTX_free};
  if (!result->context_ || !apply_rules(result->get()) || !install(result->get(), files))
    return refuse({take_openssl_errors()});
  ERR_clear_error();
  result->subject_ = facts_of(*files.chain.front(), now_s).subject;
  result->warnings_ = std::move(files.warnings);
  return result;
}

}  // namespace dim::runtime
