#include "gateway/inference/raw_request.hpp"

#include <doctest/doctest.h>

namespace {

using namespace dim;
using gateway::read_raw_request;
using shape = std::vector<std::int64_t>;

models::model_spec spec_with(models::datatype type, shape dims, std::int64_t max_batch_size) {
  models::model_spec spec;
  spec.inputs.push_back({"x", type, std::move(dims), {}});
  spec.max_batch_size = max_batch_size;
  return spec;
}

TEST_CASE("a raw body takes the declared shape, with a batch of one where the model batches") {
  auto request = read_raw_request("12345678", spec_with(models::datatype::fp32, {2}, 4), "m");
  REQUIRE(request);
  CHECK(request->is_binary_output);
  CHECK(request->inputs.at(0).shape == shape{1, 2});
  CHECK(request->inputs.at(0).data.view() == "12345678");
  request = read_raw_request("12345678", spec_with(models::datatype::int16, {2, -1}, 0), "m");
  REQUIRE(request);
  CHECK(request->inputs.at(0).shape == shape{2, 2});
}

TEST_CASE("a raw text gets its length before it") {
  auto request = read_raw_request("hello", spec_with(models::datatype::bytes, {1}, 8), "m");
  REQUIRE(request);
  CHECK(request->inputs.at(0).shape == shape{1, 1});
  CHECK(request->inputs.at(0).data.view() == std::string_view("\5\0\0\0hello", 9));
  CHECK(models::check_size(request->inputs.at(0)));
  CHECK(!read_raw_request("hello", spec_with(models::datatype::bytes, {2}, 8), "m"));
}

TEST_CASE("a raw body whose shape can not be deduced is refused") {
  CHECK(!read_raw_request("1234567", spec_with(models::datatype::fp32, {2}, 0), "m"));
  CHECK(!read_raw_request("12345678", spec_with(models::datatype::fp32, {-1, -1}, 0), "m"));
  CHECK(!read_raw_request("1234567", spec_with(models::datatype::fp32, {-1}, 0), "m"));
  CHECK(!read_raw_request("1234", spec_with(models::datatype::fp32, {0, -1}, 0), "m"));
  auto huge = std::int64_t{1} << 40;
  CHECK(!read_raw_request("", spec_with(models::datatype::fp32, {huge, huge}, 0), "m"));
  auto problem = [](std::string_view body, shape dims) {
    auto spec = spec_with(models::datatype::fp32, std::move(dims), 0);
    auto request = read_raw_request(body, spec, "m");
    REQUIRE(!request);
    return request.error().message;
  };
  CHECK(problem("123", {2}) == "input byte size mismatch for raw input 'x'. Expected 8, got 3");
  CHECK(problem("123", {-1, 2})
        == "input byte size mismatch for raw input 'x'. Expected a multiple of 8, got 3");
  CHECK(problem("", {huge, huge})
        == "input byte size mismatch for raw input 'x'. Expected more bytes than can be counted, "
           "got 0");
  CHECK(problem("1234", {0, -1})
        == "The shape of the raw input 'x' can not be deduced because it has a dimension of 0");
  auto two = spec_with(models::datatype::fp32, {1}, 0);
  two.inputs.push_back(two.inputs.front());
  CHECK(read_raw_request("1234", two, "m").error().message
        == "Raw request must only have 1 input (found 1) to be deduced but got 2 inputs in 'm' "
           "model configuration");
}

}  // namespace
