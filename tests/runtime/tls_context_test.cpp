#include "runtime/tls_context.hpp"

#include <algorithm>

#include <doctest/doctest.h>
#include <openssl/ssl.h>

#include "tests/support/certificate_files.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

std::vector<std::string> problems_of(const config::tls_options& options, std::int64_t now_s) {
  auto loaded = runtime::tls_context::load(options, now_s);
  return loaded ? std::vector<std::string>{} : loaded.error().details;
}

bool mentions(const std::vector<std::string>& problems, const std::string& words) {
  return std::any_of(problems.begin(), problems.end(), [&words](const std::string& each) {
    return each.find(words) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("files that belong together make a context of TLS 1.2 or later that demands a peer's "
          "certificate") {
  certificate_files files;
  auto loaded = runtime::tls_context::load(files.issue("node-1"), files.now_s());
  REQUIRE(loaded);
  auto* context = (*loaded)->get();
  CHECK(SSL_CTX_get_min_proto_version(context) == TLS1_2_VERSION);
  CHECK(SSL_CTX_get_verify_mode(context)
        == (SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT));
  CHECK((*loaded)->subject() == "CN=node-1");
  CHECK((*loaded)->warnings().empty());
}

TEST_CASE("a certificate in its last 30 days is used, with a warning") {
  certificate_files files;
  auto loaded = runtime::tls_context::load(files.issue("node-1", -1, 20), files.now_s());
  REQUIRE(loaded);
  REQUIRE((*loaded)->warnings().size() == 1);
  CHECK((*loaded)->warnings()[0].find("expires at") != std::string::npos);
}

TEST_CASE("every problem of the files is named at once") {
  certificate_files files;
  config::tls_options options;
  options.certificate = files.folder() / "nowhere.pem";
  options.key = files.folder() / "text.key";
  options.ca = files.folder() / "text.pem";
  certificate_files::write(options.key, "no key\n");
  certificate_files::write(options.ca, "no certificate\n");
  ::chmod(options.key.c_str(), 0644);
  auto problems = problems_of(options, files.now_s());
  CHECK(problems.size() == 4);
  CHECK(mentions(problems, "tls.certificate: " + options.certificate
                             + " can not be read: No such file or directory"));
  CHECK(mentions(problems, "tls.key: " + options.key + " holds no private key in PEM"));
  CHECK(mentions(problems, "tls.key: " + options.key + " may be used by everybody"));
  CHECK(mentions(problems, "tls.ca: " + options.ca + " holds no certificate in PEM"));
}

TEST_CASE("a key of another certificate is refused") {
  certificate_files files;
  auto one = files.issue("node-1");
  one.key = files.issue("node-2").key;
  auto problems = problems_of(one, files.now_s());
  REQUIRE(problems.size() == 1);
  CHECK(mentions(problems, "is not the key of"));
}

TEST_CASE("a certificate of another authority is refused, even of one with the same name") {
  certificate_files files;
  certificate_files others;
  auto options = files.issue("node-1");
  options.ca = others.ca();
  auto problems = problems_of(options, files.now_s());
  REQUIRE(problems.size() == 1);
  CHECK(mentions(problems, "is not signed by"));
}

TEST_CASE("certificates outside their dates are refused, the authority's too") {
  certificate_files files;
  CHECK(mentions(problems_of(files.issue("old", -10, -1), files.now_s()), "has expired at"));
  CHECK(mentions(problems_of(files.issue("early", 1, 10), files.now_s()), "is not valid before"));
  auto in_ten_years = files.now_s() + 3'650 * certificate_files::day_s;
  auto problems = problems_of(files.issue("node-1", -1, 5'000), in_ten_years);
  REQUIRE(problems.size() == 1);
  CHECK(mentions(problems, "tls.ca: " + files.ca() + " has expired at"));
}

TEST_CASE("a certificate in the place of the authority's is refused, and so is the other way") {
  certificate_files files;
  auto options = files.issue("node-1");
  auto swapped = options;
  swapped.ca = options.certificate;
  CHECK(mentions(problems_of(swapped, files.now_s()), "holds a certificate that is no authority"));
  swapped = options;
  swapped.certificate = files.ca();
  CHECK(mentions(problems_of(swapped, files.now_s()), "is not the key of"));
}

TEST_CASE("damaged files and keys with a passphrase are refused by name") {
  certificate_files files;
  auto options = files.issue("node-1");
  std::ifstream source{options.certificate};
  std::string text{std::istreambuf_iterator<char>{source}, {}};
  certificate_files::write(options.certificate, text.substr(0, text.size() / 2));
  CHECK(mentions(problems_of(options, files.now_s()), "damaged certificate"));
  options = files.issue("node-2");
  certificate_files::write(options.key, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
                                        "AAAA\n-----END ENCRYPTED PRIVATE KEY-----\n");
  CHECK(problems_of(options, files.now_s()).size() == 1);
}
