#include "models/agreement.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using models::agreement;
using models::comparison;
using tests::floats;

namespace {

agreement compare(comparison method, const models::tensor_list& one,
                  const models::tensor_list& other) {
  const auto forth = models::compare_outputs(method, one, other);
  const auto back = models::compare_outputs(method, other, one);
  CHECK(forth.agree == back.agree);
  CHECK(forth.distance == back.distance);
  return forth;
}

std::vector<float> random_scores(runtime::random_source& random, std::size_t count) {
  std::vector<float> scores(count);
  for (float& score : scores)
    score = static_cast<float>(random.unit() * 2 - 1);
  return scores;
}

/// What another honest machine answers: every element off by about a millionth.
std::vector<float> with_noise(std::vector<float> scores, runtime::random_source& random,
                              double size) {
  for (float& score : scores)
    score += static_cast<float>((random.unit() * 2 - 1) * size);
  return scores;
}

}  // namespace

TEST_CASE("exact agreement is equality of canonical digests") {
  const auto a = floats("y", {2}, {0.0F, 1});
  CHECK(compare(comparison::exact, {a}, {floats("y", {2}, {-0.0F, 1})}).agree);
  const auto other = compare(comparison::exact, {a}, {floats("y", {2}, {0, 1.0000001F})});
  CHECK_FALSE(other.agree);
  CHECK(other.distance == 1);
  CHECK_FALSE(compare(comparison::exact, {a}, {floats("z", {2}, {0, 1})}).agree);
}

TEST_CASE("a detached answer agrees with an attached one of the same digest") {
  const auto a = floats("y", {2}, {0, 1});
  const auto b = floats("y", {2}, {0, 2});
  for (const auto method : {comparison::exact, comparison::tensor}) {
    CHECK(compare(method, {models::detached(a)}, {a}).agree);
    CHECK(compare(method, {models::detached(a)}, {models::detached(a)}).agree);
    CHECK_FALSE(compare(method, {models::detached(a)}, {models::detached(b)}).agree);
    CHECK_FALSE(compare(method, {models::detached(a)}, {b}).agree);
  }
}

TEST_CASE("the rounding of honest machines agrees, the closest frauds do not") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    const auto scores = random_scores(random, 5000);
    const auto answer = [&](const std::vector<float>& values) {
      return models::tensor_list{floats("y", {1, 5000}, values)};
    };
    const auto honest =
      compare(comparison::tensor, answer(scores), answer(with_noise(scores, random, 2e-6)));
    CHECK(honest.agree);
    CHECK(honest.distance < 1e-5);
    const auto rounded =
      compare(comparison::tensor, answer(scores), answer(with_noise(scores, random, 6e-4)));
    CHECK_FALSE(rounded.agree);
    CHECK(rounded.distance > 1e-4);
  }
}

TEST_CASE("one element that is off is found, however small its share of the whole") {
  runtime::random_source random(1);
  const auto scores = random_scores(random, 100'000);
  auto changed = scores;
  changed[777] += 0.005F;
  const auto result = compare(comparison::tensor, {floats("y", {100'000}, scores)},
                              {floats("y", {100'000}, changed)});
  CHECK(result.distance < 1e-4);
  CHECK_FALSE(result.agree);
}

TEST_CASE("a decision that is turned round is found where every element is within tolerance") {
  std::vector<float> scores(1000, 0.01F);
  scores[0] = 10.0F;
  scores[1] = 10.0009F;
  auto turned = scores;
  std::swap(turned[0], turned[1]);
  const models::tensor_list one{floats("y", {1, 1000}, scores)};
  const models::tensor_list other{floats("y", {1, 1000}, turned)};
  CHECK_FALSE(compare(comparison::tensor, one, other).agree);
  models::agreement_limits blind;
  blind.decision_factor = 1e9;
  CHECK(models::compare_outputs(comparison::tensor, one, other, {}, blind).agree);
}

TEST_CASE("one clear decision is enough to disagree with a row that is too close to call") {
  std::vector<float> close(1000, 0.01F);
  close[0] = 10.0F;
  close[1] = 10.00001F;
  auto clear = close;
  clear[0] = 10.0009F;
  clear[1] = 10.0F;
  CHECK_FALSE(compare(comparison::tensor, {floats("y", {1, 1000}, close)},
                      {floats("y", {1, 1000}, clear)})
                .agree);
}

TEST_CASE("rows too close to call may be decided either way") {
  const models::tensor_list one{floats("y", {1, 3}, {1, 1.000001F, 0})};
  const models::tensor_list other{floats("y", {1, 3}, {1.000001F, 1, 0})};
  CHECK(compare(comparison::tensor, one, other).agree);
}

TEST_CASE("places that are not finite must be the same, of the same kind") {
  const auto y = [](float a, float b) { return models::tensor_list{floats("y", {2}, {a, b})}; };
  CHECK(compare(comparison::tensor, y(NAN, 1), y(-NAN, 1)).agree);
  CHECK(compare(comparison::tensor, y(INFINITY, 1), y(INFINITY, 1)).agree);
  for (const auto& other : {y(0, 1), y(INFINITY, 1), y(NAN, NAN)}) {
    const auto result = compare(comparison::tensor, y(NAN, 1), other);
    CHECK_FALSE(result.agree);
    CHECK(result.distance == INFINITY);
  }
  CHECK_FALSE(compare(comparison::tensor, y(INFINITY, 1), y(-INFINITY, 1)).agree);
}

TEST_CASE("zeros agree with zeros, and with nothing else") {
  const auto y = [](float value) { return models::tensor_list{floats("y", {1}, {value})}; };
  CHECK(compare(comparison::tensor, y(0), y(-0.0F)).agree);
  CHECK_FALSE(compare(comparison::tensor, y(0), y(1e-30F)).agree);
  CHECK(compare(comparison::tensor, {}, {}).agree);
  CHECK(compare(comparison::tensor, {floats("y", {0}, {})}, {floats("y", {0}, {})}).agree);
}

TEST_CASE("whole numbers, texts and names must be equal to agree as tensors") {
  const models::tensor_list one{tests::integers("n", {1}, {1'000'000})};
  CHECK(compare(comparison::tensor, one, one).agree);
  CHECK_FALSE(
    compare(comparison::tensor, one, {tests::integers("n", {1}, {1'000'001})}).agree);
  CHECK_FALSE(compare(comparison::tensor, {tests::texts("t", {1}, {"a"})},
                      {tests::texts("t", {1}, {"b"})})
                .agree);
  const auto x = floats("x", {1}, {1});
  const auto y = floats("y", {1}, {1});
  CHECK(compare(comparison::tensor, {x, y}, {y, x}).agree);
  CHECK_FALSE(compare(comparison::tensor, {x, y}, {x, x}).agree);
  CHECK_FALSE(compare(comparison::tensor, {x, y}, {x}).agree);
  CHECK_FALSE(compare(comparison::tensor, {x}, {floats("x", {1, 1}, {1})}).agree);
}

TEST_CASE("the greatest distance of the tensors is that of the answer") {
  const auto result = compare(comparison::tensor,
                              {floats("a", {1}, {1}), floats("b", {1}, {1})},
                              {floats("a", {1}, {1}), floats("b", {1}, {3})});
  CHECK(result.distance == doctest::Approx(1));
  CHECK_FALSE(result.agree);
}

TEST_CASE("labels agree when every row has the same best class, or a near tie") {
  const auto y = [](std::vector<float> scores) {
    return models::tensor_list{floats("y", {2, 3}, scores)};
  };
  const auto one = y({0.9F, 0.05F, 0.05F, 0.1F, 0.8F, 0.1F});
  CHECK(compare(comparison::label, one, y({0.5F, 0.3F, 0.2F, 0.3F, 0.4F, 0.3F})).agree);
  const auto other = compare(comparison::label, one, y({0.1F, 0.8F, 0.1F, 0.1F, 0.8F, 0.1F}));
  CHECK_FALSE(other.agree);
  CHECK(other.distance == 0.5);
  const auto tie = compare(comparison::label, y({0.5F, 0.499F, 0, 1, 0, 0}),
                           y({0.499F, 0.5F, 0, 1, 0, 0}));
  CHECK(tie.agree);
  CHECK(tie.distance == 0.5);
  CHECK_FALSE(compare(comparison::label, y({0.5F, 0.499F, 0, 1, 0, 0}),
                      y({0.2F, 0.5F, 0, 1, 0, 0}))
                .agree);
  CHECK_FALSE(compare(comparison::label, one, {floats("y", {1, 3}, {1, 0, 0})}).agree);
}

TEST_CASE("answers that are labels themselves are compared as such") {
  const auto n = [](std::int64_t value) {
    return models::tensor_list{tests::integers("n", {1}, {value})};
  };
  CHECK(compare(comparison::label, n(3), n(3)).agree);
  CHECK_FALSE(compare(comparison::label, n(3), n(4)).agree);
  CHECK_FALSE(compare(comparison::label, {}, {}).agree);
  CHECK_FALSE(compare(comparison::label, {tests::texts("t", {1}, {"a"})},
                      {tests::texts("t", {1}, {"a"})})
                .agree);
}

TEST_CASE("broken data agrees with nothing") {
  auto broken = floats("y", {1, 2}, {1, 2});
  auto other = broken;
  broken.data = runtime::bytes{std::vector<char>(3)};
  broken.digest.clear();
  for (const auto method : {comparison::exact, comparison::tensor, comparison::label})
    CHECK_FALSE(compare(method, {broken}, {other}).agree);
}

TEST_CASE("floating-point answers are compared as tensors, others exactly") {
  CHECK(models::default_comparison({floats("y", {1}, {1})}) == comparison::tensor);
  CHECK(models::default_comparison({tests::integers("n", {1}, {1}), floats("y", {1}, {1})})
        == comparison::tensor);
  CHECK(models::default_comparison({tests::integers("n", {1}, {1})}) == comparison::exact);
  CHECK(models::default_comparison({}) == comparison::exact);
}

TEST_CASE("comparison is symmetric for any two answers") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    auto a = random_scores(random, 12);
    auto b = random.below(2) == 0 ? with_noise(a, random, std::pow(10.0, -1.0 * random.below(8)))
                                  : random_scores(random, 12);
    if (random.below(5) == 0)
      a[random.below(12)] = NAN;
    if (random.below(5) == 0)
      b[random.below(12)] = INFINITY;
    for (const auto method : {comparison::exact, comparison::tensor, comparison::label})
      compare(method, {floats("y", {3, 4}, a)}, {floats("y", {3, 4}, b)});
  }
}
