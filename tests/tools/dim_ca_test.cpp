#include <sys/stat.h>

#include <cctype>
#include <cstdio>
#include <fstream>
#include <memory>

#include <doctest/doctest.h>

#include "tests/support/temporary_folder.hpp"
#include "tests/tools/dim_run.hpp"
#include "tools/dim/ca_folder.hpp"
#include "tools/dim/json_fields.hpp"

using namespace dim;
using namespace dim::tests;

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct program_closer {
  void operator()(FILE* program) const {
    ::pclose(program);
  }
};

/// What the program `openssl` prints, both outputs together.
std::string openssl(const std::string& arguments) {
  std::unique_ptr<FILE, program_closer> program{
    ::popen(("openssl " + arguments + " 2>&1").c_str(), "r")};
  std::string result;
  char bytes[4096];
  while (auto got = std::fread(bytes, 1, sizeof(bytes), program.get()))
    result.append(bytes, got);
  return result;
}

int mode_of(const std::string& file) {
  struct stat about {};
  return ::stat(file.c_str(), &about) == 0 ? int(about.st_mode & 0777) : -1;
}

std::string text_of(const std::string& file) {
  std::ifstream input{file};
  return {std::istreambuf_iterator<char>{input}, {}};
}

}  // namespace

TEST_CASE("ca init and ca issue make what the program openssl verifies and describes") {
  temporary_folder folder;
  const std::string dir = folder / "ca";
  dim_run init{{"ca", "init", "--dir", dir, "--name", "blue"}};
  REQUIRE_MESSAGE(init.status == 0, init.err.str());
  CHECK(contains(init.out.str(), "CN=DIM cluster blue"));
  CHECK(contains(init.out.str(), "dim ca issue NODE --dir " + dir));
  dim_run issue{{"ca", "issue", "node-1", "--dir", dir, "--host", "node-1.example.org", "--host",
                 "192.0.2.7", "--host", "2001:db8::7", "--days", "90"}};
  REQUIRE_MESSAGE(issue.status == 0, issue.err.str());
  CHECK(contains(issue.out.str(), "[tls]"));
  CHECK(mode_of(dir + "/ca.key") == 0600);
  CHECK(mode_of(dir + "/node-1.key") == 0600);
  for (auto purpose : {"sslserver", "sslclient"})
    CHECK(contains(openssl("verify -x509_strict -purpose " + std::string{purpose} + " -CAfile "
                           + dir + "/ca.pem " + dir + "/node-1.pem"),
                   "node-1.pem: OK"));
  auto authority = openssl("x509 -noout -text -in " + dir + "/ca.pem");
  const std::string indent(16, ' ');
  CHECK(contains(authority, "Basic Constraints: critical\n" + indent + "CA:TRUE, pathlen:0"));
  CHECK(contains(authority, "Key Usage: critical\n" + indent + "Certificate Sign, CRL Sign"));
  CHECK(contains(authority, "NIST CURVE: P-256"));
  auto leaf = openssl("x509 -noout -text -in " + dir + "/node-1.pem");
  CHECK(contains(leaf, "Basic Constraints: critical\n" + indent + "CA:FALSE"));
  CHECK(contains(leaf, "TLS Web Server Authentication, TLS Web Client Authentication"));
  CHECK(contains(leaf, "DNS:node-1.example.org, IP Address:192.0.2.7, "
                       "IP Address:2001:DB8:0:0:0:0:0:7"));
  CHECK(contains(leaf, "Signature Algorithm: ecdsa-with-SHA256"));
  CHECK(contains(openssl("pkey -noout -check -in " + dir + "/node-1.key"), "Key is valid"));
}

TEST_CASE("a certificate of one authority is not one of another") {
  temporary_folder folder;
  for (auto name : {"one", "two"}) {
    REQUIRE(dim_run{{"ca", "init", "--dir", folder / name}}.status == 0);
    REQUIRE(dim_run{{"ca", "issue", "node", "--dir", folder / name}}.status == 0);
  }
  auto verified = openssl("verify -CAfile " + (folder / "one").string() + "/ca.pem "
                          + (folder / "two").string() + "/node.pem");
  CHECK(contains(verified, "verification failed"));
}

TEST_CASE("nothing is written over, and a refused command leaves no file behind") {
  temporary_folder folder;
  const std::string dir = folder / "ca";
  REQUIRE(dim_run{{"ca", "init", "--dir", dir}}.status == 0);
  const auto key = text_of(dir + "/ca.key");
  dim_run again{{"ca", "init", "--dir", dir}};
  CHECK(again.status == 2);
  CHECK(contains(again.err.str(), "can not write " + dir + "/ca.key: File exists"));
  CHECK(text_of(dir + "/ca.key") == key);
  std::ofstream{dir + "/node.pem"} << "precious";
  dim_run issue{{"ca", "issue", "node", "--dir", dir}};
  CHECK(issue.status == 2);
  CHECK(text_of(dir + "/node.pem") == "precious");
  CHECK_FALSE(std::filesystem::exists(dir + "/node.key"));
}

TEST_CASE("wrong names, hosts, times and folders are refused with status 2") {
  temporary_folder folder;
  const std::string dir = folder / "ca";
  REQUIRE(dim_run{{"ca", "init", "--dir", dir}}.status == 0);
  const std::vector<std::vector<std::string>> wrong{
    {"ca"},
    {"ca", "nonsense"},
    {"ca", "issue", "--dir", dir},
    {"ca", "issue", "ca", "--dir", dir},
    {"ca", "issue", "../x", "--dir", dir},
    {"ca", "issue", "a b", "--dir", dir},
    {"ca", "issue", "x", "--dir", dir, "--host", "a,IP:192.0.2.1"},
    {"ca", "issue", "x", "--dir", dir, "--host", ""},
    {"ca", "issue", "x", "--dir", dir, "--days", "0"},
    {"ca", "issue", "x", "--dir", dir, "--days", "1000000"},
    {"ca", "issue", "x", "--dir", folder / "nowhere"},
    {"ca", "show", folder / "nowhere.pem"},
    {"ca", "show", dir + "/ca.key"}};
  for (const auto& arguments : wrong) {
    dim_run run{arguments};
    CAPTURE(run.err.str());
    CHECK(run.status == 2);
    CHECK_FALSE(run.err.str().empty());
  }
  CHECK_FALSE(std::filesystem::exists(dir + "/x.key"));
}

TEST_CASE("no certificate outlives its authority, and serial numbers differ") {
  temporary_folder folder;
  const tools::ca_folder ca{folder / "ca"};
  constexpr std::int64_t now_s = 1'800'000'000;
  auto authority = ca.init("blue", 10, now_s);
  REQUIRE(authority);
  auto facts = runtime::facts_of(*authority->certificate, now_s);
  auto one = ca.issue("one", {}, 100, now_s);
  auto two = ca.issue("two", {}, 5, now_s);
  REQUIRE(one);
  REQUIRE(two);
  auto of_one = runtime::facts_of(*one->certificate, now_s);
  auto of_two = runtime::facts_of(*two->certificate, now_s);
  CHECK(of_one.not_after == facts.not_after);
  CHECK(of_two.left_s == 5 * 24 * 3600);
  CHECK(of_one.serial.size() == 32);
  CHECK(of_one.serial != of_two.serial);
  CHECK(of_one.names == std::vector<std::string>{"DNS:one"});
  auto late = ca.issue("late", {}, 5, now_s + 11 * 24 * 3600);
  REQUIRE_FALSE(late);
  CHECK(contains(late.error().message, "has expired"));
}

TEST_CASE("ca show tells what is in a file, for people and for programs") {
  temporary_folder folder;
  const std::string dir = folder / "ca";
  REQUIRE(dim_run{{"ca", "init", "--dir", dir, "--name", "blue"}}.status == 0);
  REQUIRE(dim_run{{"ca", "issue", "node-1", "--dir", dir}}.status == 0);
  dim_run people{{"ca", "show", dir + "/node-1.pem"}};
  CHECK(people.status == 0);
  for (auto words : {"CN=node-1", "CN=DIM cluster blue", "DNS:node-1", "peer", "valid", "P-256"})
    CHECK_MESSAGE(contains(people.out.str(), words), words);
  dim_run programs{{"ca", "show", dir + "/ca.pem", "--json"}};
  auto shown = tools::json::parse(programs.out.str());
  REQUIRE(shown.size() == 1);
  CHECK(shown[0]["role"] == "authority");
  CHECK(shown[0]["state"] == "valid");
  auto digest = openssl("x509 -noout -fingerprint -sha256 -in " + dir + "/ca.pem");
  std::string plain;
  for (unsigned char c : digest.substr(digest.find('=') + 1))
    if (std::isxdigit(c) != 0)
      plain += char(std::tolower(c));
  CHECK(shown[0]["sha256"] == plain);
}
