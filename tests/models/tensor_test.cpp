#include "models/tensor.hpp"

#include <bit>
#include <cmath>
#include <limits>

#include <doctest/doctest.h>

#include "models/numbers.hpp"
#include "runtime/digest.hpp"
#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using models::datatype;
using tests::floats;

TEST_CASE("every datatype has a name that leads back to it, and the size of its element") {
  for (int index = 0; index <= static_cast<int>(datatype::bytes); ++index) {
    const auto type = static_cast<datatype>(index);
    CAPTURE(models::to_string(type));
    CHECK(models::datatype_from(models::to_string(type)) == type);
  }
  CHECK(models::to_string(datatype::fp32) == "FP32");
  CHECK(models::to_string(datatype::boolean) == "BOOL");
  CHECK_FALSE(models::datatype_from("fp32").has_value());
  CHECK(models::size_of(datatype::fp64) == 8);
  CHECK(models::size_of(datatype::bf16) == 2);
  CHECK(models::size_of(datatype::bytes) == 0);
}

TEST_CASE("the elements of a shape are counted without overflow") {
  CHECK(models::element_count({}).value() == 1);
  CHECK(models::element_count({2, 3, 4}).value() == 24);
  CHECK(models::element_count({std::int64_t{1} << 62, 0}).value() == 0);
  CHECK(models::element_count({std::int64_t{1} << 62}).has_value());
  CHECK(models::element_count({std::int64_t{1} << 40, std::int64_t{1} << 40}).error().code
        == runtime::error_code::bad_input);
  CHECK_FALSE(models::element_count({2, -1}).has_value());
  CHECK_FALSE(models::element_count({0, -1}).has_value());
}

TEST_CASE("a made tensor carries its size and the digest of its bytes") {
  const auto x = floats("x", {2}, {1, 2});
  CHECK(x.byte_size == 8);
  CHECK(x.digest == runtime::sha256_hex(x.data.view()));
  CHECK(models::check_size(x).has_value());
  const auto named = models::detached(x);
  CHECK(named.is_detached());
  CHECK(named.digest == x.digest);
  CHECK(named.byte_size == 8);
}

TEST_CASE("a tensor without elements is attached and has the right size") {
  const auto x = floats("x", {0, 4}, {});
  CHECK_FALSE(x.is_detached());
  CHECK(models::check_size(x).has_value());
}

TEST_CASE("data of another size than type and shape ask for is refused") {
  auto x = floats("x", {3}, {1, 2});
  CHECK(models::check_size(x).error().message == "x: expected 3 elements of 4 bytes, got 8 bytes");
  x.shape = {std::int64_t{1} << 62};
  CHECK_FALSE(models::check_size(x).has_value());
  x.data = runtime::bytes{std::vector<char>(7)};
  x.shape = {1};
  CHECK_FALSE(models::check_size(x).has_value());
}

TEST_CASE("the lengths of BYTES elements must add up to the data") {
  auto x = tests::texts("t", {2}, {"one", ""});
  CHECK(models::check_size(x).has_value());
  x.shape = {3};
  CHECK(models::check_size(x).error().message.find("element 2") != std::string::npos);
  x.shape = {1};
  CHECK(models::check_size(x).error().message.find("4 bytes follow") != std::string::npos);
  x.data = runtime::bytes{std::vector<char>{'\xff', '\xff', '\xff', '\xff', 'a'}};
  CHECK_FALSE(models::check_size(x).has_value());
}

TEST_CASE("the canonical digest does not tell -0 from +0, nor one NaN from another") {
  const float quiet = std::numeric_limits<float>::quiet_NaN();
  const float other = std::bit_cast<float>(std::uint32_t{0xffc12345});
  CHECK(models::canonical_digest({floats("x", {3}, {-0.0F, quiet, 1})})
        == models::canonical_digest({floats("x", {3}, {0.0F, other, 1})}));
  CHECK(models::canonical_digest({floats("x", {1}, {0.0F})})
        != models::canonical_digest({floats("x", {1}, {1e-45F})}));
  CHECK(models::canonical_digest({floats("x", {1}, {quiet})})
        != models::canonical_digest({floats("x", {1}, {INFINITY})}));
  const auto doubles = [](double value) {
    return models::canonical_digest({tests::tensor_of<double>("x", datatype::fp64, {1}, {value})});
  };
  CHECK(doubles(-0.0) == doubles(0.0));
  CHECK(doubles(std::bit_cast<double>(std::uint64_t{0xfff0000000000001})) == doubles(NAN));
  CHECK(doubles(-INFINITY) != doubles(INFINITY));
  for (const auto type : {datatype::fp16, datatype::bf16}) {
    const auto halves = [&](std::uint16_t bits) {
      return models::canonical_digest({tests::tensor_of<std::uint16_t>("x", type, {1}, {bits})});
    };
    CHECK(halves(0x8000) == halves(0));
    CHECK(halves(0xffff) == halves(0x7fff));
    CHECK(halves(0x7c00) != halves(0xfc00));
  }
}

TEST_CASE("the canonical digest leaves the bits of whole numbers alone") {
  const auto bits = [](std::uint32_t value) {
    return models::canonical_digest(
      {tests::tensor_of<std::uint32_t>("x", datatype::uint32, {1}, {value})});
  };
  CHECK(bits(0x80000000) != bits(0));
}

TEST_CASE("the canonical digest covers names, types and shapes, but not the order of the tensors") {
  const auto a = floats("a", {2}, {1, 2});
  const auto b = floats("b", {2}, {3, 4});
  CHECK(models::canonical_digest({a, b}) == models::canonical_digest({b, a}));
  CHECK(models::canonical_digest({a}) != models::canonical_digest({b}));
  CHECK(models::canonical_digest({a}) != models::canonical_digest({floats("a", {2, 1}, {1, 2})}));
  auto whole = a;
  whole.type = datatype::int32;
  CHECK(models::canonical_digest({a}) != models::canonical_digest({whole}));
  CHECK(models::canonical_digest({}) != models::canonical_digest({a}));
  CHECK(runtime::is_digest(models::canonical_digest({a, b})));
}

TEST_CASE("detached tensors count with their digest") {
  const auto a = floats("a", {2}, {1, 2});
  const auto b = floats("a", {2}, {1, 3});
  CHECK(models::canonical_digest({models::detached(a)})
        == models::canonical_digest({models::detached(a)}));
  CHECK(models::canonical_digest({models::detached(a)})
        != models::canonical_digest({models::detached(b)}));
}

TEST_CASE("the canonical digest of data larger than a block is that of its canonical bytes") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    std::vector<float> raw(10'000 + random.below(10'000));
    std::vector<float> canonical;
    for (float& value : raw) {
      value = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
      if (random.below(3) == 0)
        value = -0.0F;
      canonical.push_back(std::isnan(value) ? std::numeric_limits<float>::quiet_NaN()
                                            : value + 0.0F);
    }
    const std::vector<std::int64_t> shape{static_cast<std::int64_t>(raw.size())};
    CHECK(models::canonical_digest({floats("x", shape, raw)})
          == models::canonical_digest({floats("x", shape, canonical)}));
  }
}

TEST_CASE("half precision numbers are read as what they stand for") {
  CHECK(models::from_fp16(0x3c00) == 1);
  CHECK(models::from_fp16(0xc000) == -2);
  CHECK(models::from_fp16(0x7bff) == 65504);
  CHECK(models::from_fp16(0x0001) == std::ldexp(1, -24));
  CHECK(models::from_fp16(0xfc00) == -INFINITY);
  CHECK(std::isnan(models::from_fp16(0x7e01)));
  CHECK(std::signbit(models::from_fp16(0x8000)));
  CHECK(models::from_bf16(0x3f80) == 1);
  CHECK(models::from_bf16(0xc040) == -3);
}

TEST_CASE("the elements of every numeric datatype are read as doubles") {
  const auto read = [](const models::tensor& x) { return models::to_doubles(x).value(); };
  using numbers = std::vector<double>;
  CHECK(read(tests::tensor_of<std::int8_t>("x", datatype::int8, {2}, {-1, 2})) == numbers{-1, 2});
  CHECK(read(tests::tensor_of<std::uint8_t>("x", datatype::uint8, {1}, {255})) == numbers{255});
  CHECK(read(tests::tensor_of<std::uint8_t>("x", datatype::boolean, {2}, {1, 0}))
        == numbers{1, 0});
  CHECK(read(tests::tensor_of<std::uint64_t>("x", datatype::uint64, {1}, {7})) == numbers{7});
  CHECK(read(tests::tensor_of<std::uint16_t>("x", datatype::fp16, {1}, {0x3800})) == numbers{0.5});
  CHECK(read(floats("x", {2}, {0.5F, -2})) == numbers{0.5, -2});
  CHECK(models::to_doubles(tests::texts("t", {1}, {"a"})).error().code
        == runtime::error_code::unsupported);
  auto broken = floats("x", {2}, {1});
  CHECK(models::to_doubles(broken).error().code == runtime::error_code::bad_input);
}
