#include "runtime/certificate.hpp"

#include <arpa/inet.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <fstream>
#include <system_error>

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace dim::runtime {

namespace {

using bio_pointer = std::unique_ptr<BIO, decltype(&BIO_free)>;

/// A certificate or key is a few KiB; nothing larger is read.
constexpr std::size_t file_bytes_max = 1 << 20;

expected<std::string> read_file(const std::filesystem::path& file) {
  std::ifstream input{file, std::ios::binary};
  std::string text(file_bytes_max + 1, '\0');
  if (input)
    input.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!input && !input.eof())
    return fail(error_code::bad_input, file.string() + " can not be read: "
                                         + std::generic_category().message(errno));
  text.resize(static_cast<std::size_t>(input.gcount()));
  if (text.size() > file_bytes_max)
    return fail(error_code::bad_input, file.string() + " is too large for a certificate or key");
  return text;
}

bio_pointer reader_of(const std::string& text) {
  return {BIO_new_mem_buf(text.data(), static_cast<int>(text.size())), &BIO_free};
}

/// Whatever `print` writes into a BIO.
template <class Print>
std::string printed(Print print) {
  bio_pointer out{BIO_new(BIO_s_mem()), &BIO_free};
  print(out.get());
  char* data = nullptr;
  auto size = BIO_get_mem_data(out.get(), &data);
  return data == nullptr ? std::string{} : std::string(data, static_cast<std::size_t>(size));
}

std::string name_text(const X509_NAME* name) {
  constexpr unsigned long form = XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB;
  return printed([&](BIO* out) { X509_NAME_print_ex(out, name, 0, form); });
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  return ASN1_TIME_to_tm(time, &parts) == 1 ? static_cast<std::int64_t>(timegm(&parts)) : 0;
}

std::string time_text(const ASN1_TIME* time) {
  std::tm parts{};
  std::array<char, 32> text{};
  if (ASN1_TIME_to_tm(time, &parts) != 1)
    return "?";
  return {text.data(), std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

std::string address_text(const ASN1_OCTET_STRING* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  auto family = ASN1_STRING_length(address) == 4 ? AF_INET : AF_INET6;
  auto is_known = family == AF_INET || ASN1_STRING_length(address) == 16;
  if (!is_known
      || inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size()) == nullptr)
    return "?";
  return text.data();
}

std::vector<std::string> names_of(const X509& certificate) {
  std::vector<std::string> result;
  auto* names = static_cast<GENERAL_NAMES*>(
    X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    if (name->type == GEN_IPADD) {
      result.push_back("IP:" + address_text(name->d.iPAddress));
    } else if (name->type == GEN_DNS) {
      const auto* text = ASN1_STRING_get0_data(name->d.dNSName);
      auto size = static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName));
      result.push_back("DNS:" + std::string(reinterpret_cast<const char*>(text), size));
    }
  }
  GENERAL_NAMES_free(names);
  return result;
}

std::string key_text(EVP_PKEY* key) {
  if (key == nullptr)
    return "?";
  std::array<char, 64> group{};
  std::size_t size = 0;
  if (EVP_PKEY_get_utf8_string_param(key, OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size(),
                                     &size)
      == 1) {
    auto nid = OBJ_txt2nid(group.data());
    const auto* nist = nid == NID_undef ? nullptr : EC_curve_nid2nist(nid);
    return nist != nullptr ? nist : std::string(group.data(), size);
  }
  ERR_clear_error();
  const auto* type = EVP_PKEY_get0_type_name(key);
  return std::string{type == nullptr ? "?" : type} + " " + std::to_string(EVP_PKEY_get_bits(key));
}

std::string serial_text(X509& certificate) {
  auto* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(&certificate), nullptr);
  auto* text = number == nullptr ? nullptr : BN_bn2hex(number);
  std::string result = text == nullptr ? "?" : text;
  OPENSSL_free(text);
  BN_free(number);
  return result;
}

std::string fingerprint_text(const X509& certificate) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
  unsigned size = 0;
  std::string result;
  if (X509_digest(&certificate, EVP_sha256(), bytes.data(), &size) != 1)
    return "?";
  for (unsigned i = 0; i < size; ++i) {
    result += digits[bytes[i] >> 4];
    result += digits[bytes[i] & 15];
  }
  return result;
}

/// Asks nobody: a daemon has no terminal.
int no_passphrase(char*, int, int, void* was_asked) {
  *static_cast<bool*>(was_asked) = true;
  return -1;
}

}  // namespace

expected<std::vector<certificate_pointer>> read_certificates(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text)
    return tl::unexpected(text.error());
  auto reader = reader_of(*text);
  std::vector<certificate_pointer> result;
  while (auto* next = PEM_read_bio_X509(reader.get(), nullptr, nullptr, nullptr))
    result.emplace_back(next, &X509_free);
  auto last = ERR_peek_last_error();
  auto is_at_end = ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  auto reason = take_openssl_errors();
  if (!is_at_end)
    return fail(error_code::bad_input, file.string() + " holds a damaged certificate: " + reason);
  if (result.empty())
    return fail(error_code::bad_input, file.string() + " holds no certificate in PEM");
  return result;
}

expected<key_pointer> read_private_key(const std::filesystem::path& file) {
  auto text = read_file(file);
  if (!text)
    return tl::unexpected(text.error());
  auto reader = reader_of(*text);
  bool was_asked = false;
  key_pointer key{PEM_read_bio_PrivateKey(reader.get(), nullptr, no_passphrase, &was_asked),
                  &EVP_PKEY_free};
  auto reason = take_openssl_errors();
  if (key)
    return key;
  if (was_asked)
    return fail(error_code::bad_input, file.string() + " is protected by a passphrase");
  auto has_key = text->find("PRIVATE KEY-----") != std::string::npos;
  return fail(error_code::bad_input,
              file.string()
                + (has_key ? " holds a damaged key: " + reason : " holds no private key in PEM"));
}

certificate_facts facts_of(X509& certificate, std::int64_t now_s) {
  certificate_facts result;
  result.subject = name_text(X509_get_subject_name(&certificate));
  result.issuer = name_text(X509_get_issuer_name(&certificate));
  result.names = names_of(certificate);
  result.serial = serial_text(certificate);
  result.not_before = time_text(X509_get0_notBefore(&certificate));
  result.not_after = time_text(X509_get0_notAfter(&certificate));
  result.left_s = seconds_of(X509_get0_notAfter(&certificate)) - now_s;
  result.is_early = seconds_of(X509_get0_notBefore(&certificate)) > now_s;
  result.is_authority = X509_check_ca(&certificate) == 1;
  result.is_peer = X509_check_purpose(&certificate, X509_PURPOSE_SSL_CLIENT, 0) == 1
                   && X509_check_purpose(&certificate, X509_PURPOSE_SSL_SERVER, 0) == 1;
  result.key = key_text(X509_get0_pubkey(&certificate));
  result.fingerprint = fingerprint_text(certificate);
  ERR_clear_error();
  return result;
}

bool fits(X509& certificate, EVP_PKEY& key) {
  auto result = X509_check_private_key(&certificate, &key) == 1;
  ERR_clear_error();
  return result;
}

std::string untrusted_because(X509& certificate,
                              const std::vector<certificate_pointer>& authorities) {
  std::unique_ptr<X509_STORE, decltype(&X509_STORE_free)> store{X509_STORE_new(),
                                                                &X509_STORE_free};
  std::unique_ptr<X509_STORE_CTX, decltype(&X509_STORE_CTX_free)> check{X509_STORE_CTX_new(),
                                                                        &X509_STORE_CTX_free};
  for (const auto& each : authorities)
    X509_STORE_add_cert(store.get(), each.get());
  std::string result;
  if (X509_STORE_CTX_init(check.get(), store.get(), &certificate, nullptr) != 1)
    return take_openssl_errors();
  X509_STORE_CTX_set_flags(check.get(), X509_V_FLAG_NO_CHECK_TIME);
  if (X509_verify_cert(check.get()) != 1)
    result = X509_verify_cert_error_string(X509_STORE_CTX_get_error(check.get()));
  ERR_clear_error();
  return result;
}

std::string take_openssl_errors() {
  std::string result;
  while (auto code = ERR_get_error()) {
    const auto* words = ERR_reason_error_string(code);
    std::string reason = words != nullptr ? words : "error " + std::to_string(code);
    if (!result.ends_with(reason))
      result += (result.empty() ? "" : ", ") + reason;
  }
  return result.empty() ? "no reason given" : result;
}

}  // namespace dim::runtime
