#include "runtime/tls_session.hpp"

#include <algorithm>
#include <ctime>
#include <limits>

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "runtime/certificate.hpp"

namespace dim::runtime {

namespace {

/// OpenSSL counts in int.
int bounded(std::size_t size) {
  constexpr auto most = static_cast<std::size_t>(std::numeric_limits<int>::max());
  return static_cast<int>(std::min(size, most));
}

/// The words that a person needs to find the mistake; "" without an error.
std::string words_of(unsigned long error, const SSL* ssl) {
  auto verified = SSL_get_verify_result(ssl);
  if (verified != X509_V_OK)
    return std::string{"its certificate is refused: "} + X509_verify_cert_error_string(verified);
  if (error == 0)
    return {};
  switch (ERR_GET_LIB(error) == ERR_LIB_SSL ? ERR_GET_REASON(error) : 0) {
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
      return "it shows no certificate";
    case SSL_R_WRONG_VERSION_NUMBER:
    case SSL_R_HTTP_REQUEST:
    case SSL_R_HTTPS_PROXY_REQUEST:
    case SSL_R_PACKET_LENGTH_TOO_LONG:
    case SSL_R_RECORD_LENGTH_MISMATCH:
      return "it does not speak TLS";
    case SSL_R_UNSUPPORTED_PROTOCOL:
    case SSL_R_TLSV1_ALERT_PROTOCOL_VERSION:
      return "its version of TLS is too old";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "it refuses the certificate of this process: another authority has signed it";
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "it refuses the certificate of this process: it has expired";
    default:
      return take_openssl_errors();
  }
}

}  // namespace

tls_session::tls_session(std::shared_ptr<const tls_context> context, int socket, side which)
  : context_(std::move(context)), ssl_(SSL_new(context_->get()), &SSL_free) {
  if (!ssl_ || SSL_set_fd(ssl_.get(), socket) != 1) {
    is_closed_ = true;
    reason_ = take_openssl_errors();
    return;
  }
  if (which == side::dialling)
    SSL_set_connect_state(ssl_.get());
  else
    SSL_set_accept_state(ssl_.get());
}

tls_session::outcome tls_session::shake_hands() {
  if (is_closed_)
    return outcome::closed;
  ERR_clear_error();
  auto result = SSL_do_handshake(ssl_.get());
  if (result == 1) {
    is_established_ = true;
    return outcome::done;
  }
  return judge(result);
}

tls_session::outcome tls_session::read(void* to, std::size_t size, std::size_t& moved) {
  moved = 0;
  if (is_closed_)
    return outcome::closed;
  ERR_clear_error();
  auto result = SSL_read(ssl_.get(), to, bounded(size));
  if (result <= 0)
    return judge(result);
  moved = static_cast<std::size_t>(result);
  return outcome::done;
}

tls_session::outcome tls_session::write(const void* from, std::size_t size, std::size_t& moved) {
  moved = 0;
  if (is_closed_)
    return outcome::closed;
  ERR_clear_error();
  auto result = SSL_write(ssl_.get(), from, bounded(size));
  if (result <= 0)
    return judge(result);
  moved = static_cast<std::size_t>(result);
  return outcome::done;
}

tls_session::outcome tls_session::judge(int result) {
  auto error = SSL_get_error(ssl_.get(), result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
    return outcome::later;
  is_closed_ = true;
  reason_ = words_of(ERR_peek_error(), ssl_.get());
  ERR_clear_error();
  return outcome::closed;
}

std::size_t tls_session::pending() const {
  return is_closed_ ? 0 : static_cast<std::size_t>(SSL_pending(ssl_.get()));
}

std::string tls_session::peer() const {
  certificate_pointer shown{ssl_ ? SSL_get1_peer_certificate(ssl_.get()) : nullptr, &X509_free};
  return shown ? facts_of(*shown, std::time(nullptr)).subject : "nobody";
}

std::string tls_session::protocol() const {
  return std::string{SSL_get_version(ssl_.get())} + " " + SSL_get_cipher_name(ssl_.get());
}

}  // namespace dim::runtime
