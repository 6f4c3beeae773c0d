#include "tools/dim/ca_maker.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <memory>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace dim::tools {

namespace {

/// One extension: its number and its value in OpenSSL's words.
struct extension {
  int number;
  std::string value;
};

tl::unexpected<command_failure> openssl_failed(const std::string& what) {
  return fail(exit_status::failed, what + ": " + runtime::take_openssl_errors());
}

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> ignored{};
  return inet_pton(AF_INET, text.c_str(), ignored.data()) == 1
         || inet_pton(AF_INET6, text.c_str(), ignored.data()) == 1;
}

/// 127 random bits, never 0.
bool set_serial(X509& certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
    return false;
  bytes.front() = static_cast<unsigned char>((bytes.front() & 0x7f) | 0x40);
  std::unique_ptr<BIGNUM, decltype(&BN_free)> number{
    BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr), &BN_free};
  return number
         && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(&certificate)) != nullptr;
}

bool set_times(X509& certificate, const validity& when) {
  return ASN1_TIME_set(X509_getm_notBefore(&certificate), when.from_s) != nullptr
         && ASN1_TIME_set(X509_getm_notAfter(&certificate), when.until_s) != nullptr;
}

bool set_subject(X509& certificate, const std::string& name) {
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  return X509_NAME_add_entry_by_txt(X509_get_subject_name(&certificate), "CN", MBSTRING_UTF8, text,
                                    -1, -1, 0)
         == 1;
}

bool add_extensions(X509& certificate, X509& issuer, const std::vector<extension>& wished) {
  X509V3_CTX context{};
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, &issuer, &certificate, nullptr, nullptr, 0);
  for (const auto& each : wished) {
    auto* made = X509V3_EXT_nconf_nid(nullptr, &context, each.number, each.value.c_str());
    auto added = made != nullptr && X509_add_ext(&certificate, made, -1) == 1;
    X509_EXTENSION_free(made);
    if (!added)
      return false;
  }
  return true;
}

/// A new key with its certificate, signed by `authority`, or, without one, by itself.
outcome<made_certificate> make(const std::string& subject, const made_certificate* authority,
                               const std::vector<extension>& extensions, validity when) {
  made_certificate result;
  result.key = {EVP_EC_gen("P-256"), &EVP_PKEY_free};
  result.certificate = {X509_new(), &X509_free};
  if (!result.key || !result.certificate)
    return openssl_failed("no key could be made");
  auto& made = *result.certificate;
  const auto& signer = authority != nullptr ? *authority : result;
  auto is_filled = X509_set_version(&made, X509_VERSION_3) == 1 && set_serial(made)
                   && set_times(made, when) && set_subject(made, subject)
                   && X509_set_issuer_name(&made, X509_get_subject_name(signer.certificate.get()))
                        == 1
                   && X509_set_pubkey(&made, result.key.get()) == 1
                   && add_extensions(made, *signer.certificate, extensions);
  if (!is_filled || X509_sign(&made, signer.key.get(), EVP_sha256()) <= 0)
    return openssl_failed("no certificate could be made");
  ERR_clear_error();
  return result;
}

template <class Write>
std::string pem_of(Write write) {
  std::unique_ptr<BIO, decltype(&BIO_free)> out{BIO_new(BIO_s_mem()), &BIO_free};
  write(out.get());
  char* data = nullptr;
  auto size = BIO_get_mem_data(out.get(), &data);
  return data == nullptr ? std::string{} : std::string(data, static_cast<std::size_t>(size));
}

}  // namespace

bool is_host_name(const std::string& text) {
  auto is_letter = [](unsigned char c) { return std::isalnum(c) != 0 || c == '-' || c == '.'; };
  auto is_name = !text.empty() && text.size() <= 253 && text.front() != '-' && text.front() != '.'
                 && std::all_of(text.begin(), text.end(), is_letter);
  return is_name || is_address(text);
}

outcome<made_certificate> make_authority(const std::string& cluster, validity when) {
  return make("DIM cluster " + cluster, nullptr,
              {{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
               {NID_key_usage, "critical,keyCertSign,cRLSign"},
               {NID_subject_key_identifier, "hash"}},
              when);
}

outcome<made_certificate> issue_certificate(const made_certificate& authority,
                                            const std::string& node,
                                            const std::vector<std::string>& hosts, validity when) {
  std::string names;
  for (const auto& host : hosts) {
    if (!is_host_name(host))
      return fail(exit_status::usage, "\"" + host + "\" is neither a host name nor an IP address");
    names += (names.empty() ? "" : ",") + ((is_address(host) ? "IP:" : "DNS:") + host);
  }
  std::vector<extension> extensions{{NID_basic_constraints, "critical,CA:FALSE"},
                                    {NID_key_usage, "critical,digitalSignature"},
                                    {NID_ext_key_usage, "serverAuth,clientAuth"},
                                    {NID_subject_key_identifier, "hash"},
                                    {NID_authority_key_identifier, "keyid:always"}};
  if (!names.empty())
    extensions.push_back({NID_subject_alt_name, names});
  return make(node, &authority, extensions, when);
}

std::string to_pem(X509& certificate) {
  return pem_of([&](BIO* out) { PEM_write_bio_X509(out, &certificate); });
}

std::string to_pem(EVP_PKEY& key) {
  return pem_of([&](BIO* out) {
    PEM_write_bio_PKCS8PrivateKey(out, &key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

}  // namespace dim::tools
