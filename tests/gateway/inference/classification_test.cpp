#include "gateway/inference/classification.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include <doctest/doctest.h>

namespace {

using namespace dim;

template <class T>
models::tensor scores(models::datatype type, std::vector<std::int64_t> shape,
                      const std::vector<T>& values) {
  std::string bytes(values.size() * sizeof(T), '\0');
  if (!values.empty())
    std::memcpy(bytes.data(), values.data(), bytes.size());
  return {"y", type, std::move(shape), runtime::bytes::copy_of(bytes), {}, bytes.size()};
}

std::vector<std::string> texts(const models::tensor& x) {
  REQUIRE(models::check_size(x));
  std::vector<std::string> result;
  for (auto data = x.data.view(); !data.empty();) {
    std::uint32_t length = 0;
    std::memcpy(&length, data.data(), 4);
    result.emplace_back(data.substr(4, length));
    data.remove_prefix(4 + length);
  }
  return result;
}

using texts_type = std::vector<std::string>;

TEST_CASE("each row gives its best classes, best first, with their labels") {
  models::model_spec spec;
  spec.max_batch_size = 8;
  spec.outputs.push_back({"y", models::datatype::fp32, {3}, {"a", "b", "c"}});
  auto found = gateway::classify(
    scores<float>(models::datatype::fp32, {2, 3}, {1, 3, 2, -1, -2, 0.5}), spec, 2);
  REQUIRE(found);
  CHECK(found->shape == std::vector<std::int64_t>{2, 2});
  CHECK(found->type == models::datatype::bytes);
  CHECK(texts(*found) == texts_type{"3:1:b", "2:2:c", "0.5:2:c", "-1:0:a"});
}

TEST_CASE("without a batch dimension all elements are one row, and no more come than there are") {
  auto found = gateway::classify(scores<std::int64_t>(models::datatype::int64, {2}, {7, 9}), {}, 5);
  REQUIRE(found);
  CHECK(found->shape == std::vector<std::int64_t>{2});
  CHECK(texts(*found) == texts_type{"9:1", "7:0"});
}

TEST_CASE("equal scores keep their order, and not a number is lowest") {
  auto nan = std::numeric_limits<double>::quiet_NaN();
  auto found = gateway::classify(
    scores<double>(models::datatype::fp64, {5}, {nan, 1, 1, -INFINITY, 2}), {}, 5);
  REQUIRE(found);
  CHECK(texts(*found) == texts_type{"2:4", "1:1", "1:2", "-inf:3", "nan:0"});
}

TEST_CASE("half precision is classified, texts are not, and nothing gives nothing") {
  auto half =
    gateway::classify(scores<std::uint16_t>(models::datatype::fp16, {2}, {0x3c00, 0x4000}), {}, 1);
  REQUIRE(half);
  CHECK(texts(*half) == texts_type{"2:1"});
  models::tensor text{"y", models::datatype::bytes, {1}, runtime::bytes::copy_of("abcd"), {}, 4};
  CHECK(!gateway::classify(text, {}, 1));
  auto none = gateway::classify(scores<float>(models::datatype::fp32, {0}, {}), {}, 3);
  REQUIRE(none);
  CHECK(none->shape == std::vector<std::int64_t>{0});
}

}  // namespace
