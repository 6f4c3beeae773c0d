#include "runtime/record_codec.hpp"

#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "runtime/real.hpp"
#include "tests/support/test_seed.hpp"

using namespace dim::runtime;

namespace {

enum class colour : std::uint8_t { red, green, blue };
constexpr colour last_value(colour) noexcept {
  return colour::blue;
}

struct inner {
  std::string name;
  real weight = 1.0;
  bool operator==(const inner&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, inner& x) {
  return f(x.name, x.weight);
}

struct outer {
  bool flag = false;
  std::int32_t small = 0;
  std::int64_t large = 0;
  std::uint64_t positive = 0;
  colour shade = colour::red;
  std::string text;
  bytes payload;
  std::vector<char> raw;
  std::vector<std::int64_t> numbers;
  std::vector<inner> parts;
  std::map<std::string, std::string> names;
  bool operator==(const outer&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, outer& x) {
  return f(x.flag, x.small, x.large, x.positive, x.shade, x.text, x.payload, x.raw, x.numbers,
           x.parts, x.names);
}

/// What an older program wrote, before `inner` got its second member.
struct older_inner {
  std::string name;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, older_inner& x) {
  return f(x.name);
}

/// What a newer program will write.
struct newer_inner {
  std::string name;
  real weight = 2.5;
  std::vector<inner> more{{"a", 1.0}, {"b", 2.0}};
  std::map<std::string, std::string> extra{{"k", "v"}};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, newer_inner& x) {
  return f(x.name, x.weight, x.more, x.extra);
}

std::string random_text(random_source& random) {
  std::string text(random.below(40), ' ');
  for (char& letter : text)
    letter = static_cast<char>(random.below(256));
  return text;
}

outer random_outer(random_source& random) {
  outer x;
  x.flag = random.below(2) == 1;
  x.small = static_cast<std::int32_t>(random.next());
  x.large = static_cast<std::int64_t>(random.next() >> random.below(64));
  x.positive = random.next() >> random.below(64);
  x.shade = static_cast<colour>(random.below(3));
  x.text = random_text(random);
  x.payload = bytes::copy_of(random_text(random) + "x");
  const auto raw = random_text(random);
  x.raw.assign(raw.begin(), raw.end());
  for (auto count = random.below(6); count > 0; --count)
    x.numbers.push_back(static_cast<std::int64_t>(random.next()));
  for (auto count = random.below(6); count > 0; --count)
    x.parts.push_back({random_text(random), std::bit_cast<double>(random.next())});
  for (auto count = random.below(6); count > 0; --count)
    x.names[random_text(random)] = random_text(random);
  return x;
}

}  // namespace

TEST_CASE("records come back as they were, whatever they hold") {
  const std::uint64_t seed = dim::tests::test_seed();
  CAPTURE(seed);
  random_source random{seed};
  for (int round = 0; round < 2000; ++round) {
    const outer x = random_outer(random);
    const auto packed = encode_record(x);
    const auto read = decode_record<outer>(packed.view());
    REQUIRE(read);
    CHECK(*read == x);
  }
}

TEST_CASE("the extremes of numbers survive") {
  outer x;
  for (const std::int64_t large : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-129},
                                   std::int64_t{-33}, std::int64_t{-1}, std::int64_t{0},
                                   std::int64_t{128}, std::numeric_limits<std::int64_t>::max()}) {
    x.large = large;
    x.small = static_cast<std::int32_t>(large < 0 ? std::numeric_limits<std::int32_t>::min()
                                                  : std::numeric_limits<std::int32_t>::max());
    x.positive = static_cast<std::uint64_t>(large);
    const auto read = decode_record<outer>(encode_record(x).view());
    REQUIRE(read);
    CHECK(*read == x);
  }
}

TEST_CASE("a real keeps infinity, not-a-number, minus zero and denormals bit by bit") {
  using limits = std::numeric_limits<double>;
  for (const double value : {limits::infinity(), -limits::infinity(), limits::quiet_NaN(),
                             std::nan("0x1234"), -0.0, limits::denorm_min(), limits::max()}) {
    const inner x{"value", value};
    const auto read = decode_record<inner>(encode_record(x).view());
    REQUIRE(read);
    CHECK(read->weight == x.weight);
  }
}

TEST_CASE("members missing at the end keep their defaults") {
  const auto read = decode_record<inner>(encode_record(older_inner{"old"}).view());
  REQUIRE(read);
  CHECK(*read == inner{"old", 1.0});
}

TEST_CASE("members that a newer program appended are passed over, also inside lists") {
  const auto read = decode_record<inner>(encode_record(newer_inner{"new"}).view());
  REQUIRE(read);
  CHECK(*read == inner{"new", 2.5});
  const auto list = decode_record<std::vector<inner>>(
    encode_record(std::vector<newer_inner>{{"one"}, {"two"}}).view());
  REQUIRE(list);
  CHECK(*list == std::vector<inner>{{"one", 2.5}, {"two", 2.5}});
}

TEST_CASE("numbers out of the range of their member are refused") {
  CHECK_FALSE(decode_record<std::uint8_t>(encode_record(std::uint32_t{256}).view()));
  CHECK_FALSE(decode_record<std::int8_t>(encode_record(std::int32_t{-129}).view()));
  CHECK_FALSE(decode_record<std::int64_t>(encode_record(~std::uint64_t{0}).view()));
  CHECK_FALSE(decode_record<std::uint64_t>(encode_record(std::int64_t{-1}).view()));
  CHECK_FALSE(decode_record<colour>(encode_record(std::uint8_t{3}).view()));
  CHECK(decode_record<colour>(encode_record(std::uint8_t{2}).view()) == colour::blue);
}

TEST_CASE("a record of another kind, a cut one and a longer one are refused") {
  const auto packed = encode_record(inner{"name", 3.0});
  CHECK(decode_record<std::string>(packed.view()).error().code == error_code::store_corrupt);
  CHECK_FALSE(decode_record<inner>(std::string(packed.view()) + '\x01'));
  for (std::size_t length = 0; length < packed.size(); ++length)
    CHECK_FALSE(decode_record<inner>(packed.view().substr(0, length)));
}

TEST_CASE("a header that promises four billion elements allocates nothing") {
  const std::string array{'\xdd', '\xff', '\xff', '\xff', '\xff', '\x01'};
  CHECK_FALSE(decode_record<std::vector<outer>>(array));
  const std::string text{'\xdb', '\xff', '\xff', '\xff', '\xff', 'a'};
  CHECK_FALSE(decode_record<std::string>(text));
  // Five million empty structs would be far more memory than their five megabytes.
  std::string list{'\xdd', '\x00', '\x4c', '\x4b', '\x40'};
  list.append(5'000'000, '\x90');
  CHECK_FALSE(decode_record<std::vector<outer>>(list));
}

TEST_CASE("a hundred thousand nested arrays end in a failure") {
  std::string deep{'\x93', '\xa1', 'a', '\x91', '\x00'};
  deep.append(100'000, '\x91');
  deep.push_back('\xc0');
  // Inside a member that is passed over, depth does not matter.
  const auto read = decode_record<inner>(deep);
  REQUIRE(read);
  CHECK(read->name == "a");
  CHECK_FALSE(decode_record<std::vector<std::vector<inner>>>(deep));
}

TEST_CASE("damaged records are read or refused, and never crash") {
  const std::uint64_t seed = dim::tests::test_seed();
  CAPTURE(seed);
  random_source random{seed};
  int refused = 0;
  for (int round = 0; round < 20'000; ++round) {
    std::string packed{encode_record(random_outer(random)).view()};
    for (auto flips = 1 + random.below(4); flips > 0; --flips)
      packed[random.below(packed.size())] ^= static_cast<char>(1 << random.below(8));
    if (random.below(4) == 0)
      packed.resize(random.below(packed.size()));
    const auto read = decode_record<outer>(packed);
    refused += read ? 0 : 1;
    if (read) {
      CHECK(read->shade <= colour::blue);
    }
  }
  CHECK(refused > 1000);
}
