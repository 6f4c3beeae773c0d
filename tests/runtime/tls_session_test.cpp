#include "runtime/tls_session.hpp"

#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <optional>

#include <doctest/doctest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "tests/support/certificate_files.hpp"

using namespace dim;
using namespace dim::tests;
using runtime::tls_context;
using runtime::tls_session;
using outcome = tls_session::outcome;

namespace {

std::shared_ptr<const tls_context> context_of(const certificate_files& files,
                                              const config::tls_options& options,
                                              std::int64_t days_from_now = 0) {
  auto loaded =
    tls_context::load(options, files.now_s() + days_from_now * certificate_files::day_s);
  REQUIRE(loaded);
  return *loaded;
}

/// Two sessions that speak with each other, in one thread.
struct pair_of_sessions {
  pair_of_sessions(std::shared_ptr<const tls_context> dialling,
                   std::shared_ptr<const tls_context> accepting) {
    REQUIRE(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()) == 0);
    client.emplace(std::move(dialling), ends[0], tls_session::side::dialling);
    server.emplace(std::move(accepting), ends[1], tls_session::side::accepting);
  }
  ~pair_of_sessions() {
    ::close(ends[0]);
    ::close(ends[1]);
  }

  /// Until both are done, or one has given up and the other has heard of it.
  void shake_hands() {
    auto one = outcome::later;
    auto other = outcome::later;
    for (int round = 0; round < 10; ++round) {
      if (one == outcome::later)
        one = client->shake_hands();
      if (other == outcome::later)
        other = server->shake_hands();
    }
    if (other == outcome::closed)
      ::shutdown(ends[1], SHUT_WR);
  }

  std::array<int, 2> ends{};
  std::optional<tls_session> client;
  std::optional<tls_session> server;
};

std::string received(tls_session& from) {
  std::array<char, 100> bytes{};
  std::size_t moved = 0;
  return from.read(bytes.data(), bytes.size(), moved) == outcome::done
           ? std::string(bytes.data(), moved)
           : "";
}

}  // namespace

TEST_CASE("two processes of one cluster speak TLS 1.3 and know each other's certificate") {
  certificate_files files;
  pair_of_sessions both{context_of(files, files.issue("node-1")),
                        context_of(files, files.issue("node-2"))};
  both.shake_hands();
  REQUIRE(both.client->is_established());
  REQUIRE(both.server->is_established());
  CHECK(both.client->peer() == "CN=node-2");
  CHECK(both.server->peer() == "CN=node-1");
  CHECK(both.server->protocol().starts_with("TLSv1.3 "));
  std::size_t moved = 0;
  REQUIRE(both.client->write("hello", 5, moved) == outcome::done);
  CHECK(moved == 5);
  CHECK(received(*both.server) == "hello");
}

TEST_CASE("a peer with a certificate of another authority is refused, and both sides say so") {
  certificate_files files;
  certificate_files others{"other"};
  pair_of_sessions both{context_of(others, others.issue("node-1")),
                        context_of(files, files.issue("node-2"))};
  both.shake_hands();
  CHECK_FALSE(both.client->is_established());
  CHECK_FALSE(both.server->is_established());
  CHECK(both.client->reason().find("certificate is refused") != std::string::npos);
}

TEST_CASE("an expired certificate is refused by the one that accepts") {
  certificate_files files;
  pair_of_sessions both{context_of(files, files.issue("old", -10, -5), -7),
                        context_of(files, files.issue("node-2"))};
  both.shake_hands();
  CHECK_FALSE(both.server->is_established());
  CHECK(both.server->reason() == "its certificate is refused: certificate has expired");
  received(*both.client);
  CHECK(both.client->reason().find("it has expired") != std::string::npos);
}

TEST_CASE("a peer without a certificate is refused") {
  certificate_files files;
  pair_of_sessions both{context_of(files, files.issue("node-1")),
                        context_of(files, files.issue("node-2"))};
  std::shared_ptr<SSL_CTX> bare{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
  std::shared_ptr<SSL> client{SSL_new(bare.get()), &SSL_free};
  SSL_set_fd(client.get(), both.ends[0]);
  for (int round = 0; round < 5; ++round) {
    SSL_connect(client.get());
    both.server->shake_hands();
  }
  CHECK_FALSE(both.server->is_established());
  CHECK(both.server->reason() == "it shows no certificate");
}

TEST_CASE("TLS 1.0 and 1.1 are refused, 1.2 and 1.3 are not") {
  certificate_files files;
  auto options = files.issue("node-1");
  for (auto version : {TLS1_VERSION, TLS1_1_VERSION, TLS1_2_VERSION, TLS1_3_VERSION}) {
    CAPTURE(version);
    pair_of_sessions both{context_of(files, options), context_of(files, files.issue("node-2"))};
    std::shared_ptr<SSL_CTX> wish{SSL_CTX_new(TLS_client_method()), &SSL_CTX_free};
    SSL_CTX_set_security_level(wish.get(), 0);
    SSL_CTX_set_min_proto_version(wish.get(), version);
    SSL_CTX_set_max_proto_version(wish.get(), version);
    REQUIRE(SSL_CTX_use_certificate_file(wish.get(), options.certificate.c_str(), SSL_FILETYPE_PEM)
            == 1);
    REQUIRE(SSL_CTX_use_PrivateKey_file(wish.get(), options.key.c_str(), SSL_FILETYPE_PEM) == 1);
    std::shared_ptr<SSL> client{SSL_new(wish.get()), &SSL_free};
    SSL_set_fd(client.get(), both.ends[0]);
    for (int round = 0; round < 5; ++round) {
      SSL_connect(client.get());
      both.server->shake_hands();
    }
    CHECK(both.server->is_established() == (version >= TLS1_2_VERSION));
    if (version < TLS1_2_VERSION)
      CHECK(both.server->reason() == "its version of TLS is too old");
  }
}

TEST_CASE("what is not TLS is refused, and costs no other connection of the thread anything") {
  certificate_files files;
  auto context = context_of(files, files.issue("node-1"));
  pair_of_sessions good{context, context};
  good.shake_hands();
  REQUIRE(good.server->is_established());
  for (std::string noise : {std::string{"GET / HTTP/1.0\r\n\r\n"}, std::string(64, '\0'),
                            std::string(64, '\xff'), std::string{"\x16\x03\x01\x02"}}) {
    pair_of_sessions bad{context, context};
    REQUIRE(::send(bad.ends[0], noise.data(), noise.size(), 0) > 0);
    ::shutdown(bad.ends[0], SHUT_WR);
    CHECK(bad.server->shake_hands() == outcome::closed);
    CHECK_FALSE(bad.server->is_established());
    // Without care, OpenSSL takes an error that lies about for one of this connection.
    ERR_raise(ERR_LIB_SSL, ERR_R_INTERNAL_ERROR);
    std::size_t moved = 0;
    std::array<char, 10> bytes{};
    CHECK(good.server->read(bytes.data(), bytes.size(), moved) == outcome::later);
  }
  std::size_t moved = 0;
  REQUIRE(good.client->write("still", 5, moved) == outcome::done);
  CHECK(received(*good.server) == "still");
}

TEST_CASE("more than fits is written later") {
  certificate_files files;
  auto context = context_of(files, files.issue("node-1"));
  pair_of_sessions both{context, context};
  both.shake_hands();
  std::string large(4 << 20, 'x');
  std::size_t moved = 0;
  CHECK(both.client->write(large.data(), large.size(), moved) == outcome::later);
  std::size_t taken = 0;
  std::vector<char> into(1 << 16);
  for (int round = 0; round < 10'000 && taken < large.size(); ++round) {
    std::size_t step = 0;
    if (both.server->read(into.data(), into.size(), step) == outcome::later)
      both.client->write(large.data(), large.size(), moved);
    taken += step;
  }
  CHECK(taken == large.size());
  CHECK(moved == large.size());
}
