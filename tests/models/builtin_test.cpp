#include "models/builtin.hpp"

#include <cstring>

#include <doctest/doctest.h>

#include "models/model_spec_check.hpp"
#include "tests/models/tensors.hpp"

using namespace dim;
using namespace dim::models;

namespace {

model_spec spec_of(model_kind kind, datatype type, std::size_t tensors, std::int64_t size) {
  model_spec spec;
  spec.name = "m";
  spec.kind = kind;
  spec.max_batch_size = 8;
  for (std::size_t index = 0; index < tensors; ++index) {
    spec.inputs.push_back({"IN" + std::to_string(index), type, {size}, {}});
    spec.outputs.push_back({"OUT" + std::to_string(index), type, {size}, {}});
  }
  CHECK(check_model_spec(spec).empty());
  return spec;
}

template <class Number>
tensor tensor_of(const std::string& name, datatype type, const std::vector<Number>& values) {
  std::vector<char> data(values.size() * sizeof(Number));
  std::memcpy(data.data(), values.data(), data.size());
  return make_tensor(name, type, {1, static_cast<std::int64_t>(values.size())}, std::move(data));
}

tensor texts_of(const std::string& name, const std::vector<std::string>& texts) {
  std::vector<char> data;
  for (const std::string& text : texts) {
    const auto size = static_cast<std::uint32_t>(text.size());
    const char* start = reinterpret_cast<const char*>(&size);
    data.insert(data.end(), start, start + sizeof size);
    data.insert(data.end(), text.begin(), text.end());
  }
  return make_tensor(name, datatype::bytes, {1, static_cast<std::int64_t>(texts.size())},
                     std::move(data));
}

template <class Number>
std::vector<Number> values_of(const tensor& x) {
  std::vector<Number> values(x.data.size() / sizeof(Number));
  std::memcpy(values.data(), x.data.data(), x.data.size());
  return values;
}

}  // namespace

TEST_CASE("identity gives each input's bytes under the output's name, whatever their type") {
  const auto spec = spec_of(model_kind::identity, datatype::bytes, 2, 2);
  const auto one = texts_of("IN0", {std::string("a\0b", 3), ""});
  const auto two = texts_of("IN1", {"x", "yz"});
  const auto outputs = run_builtin(spec, {two, one});
  REQUIRE(outputs);
  CHECK(outputs->at(0).name == "OUT0");
  CHECK(outputs->at(0).data == one.data);
  CHECK(outputs->at(1).data.data() == two.data.data());
  CHECK(outputs->at(1).shape == two.shape);
}

TEST_CASE("identity gives no output in the place of an input that is left out") {
  auto spec = spec_of(model_kind::identity, datatype::bytes, 2, 2);
  spec.inputs[0].is_optional = true;
  CHECK(check_model_spec(spec).empty());
  const auto two = texts_of("IN1", {"x", "yz"});
  const auto outputs = run_builtin(spec, {two});
  REQUIRE(outputs);
  REQUIRE(outputs->size() == 1);
  CHECK(outputs->front().name == "OUT1");
  CHECK(outputs->front().data == two.data);
  CHECK(run_builtin(spec, {texts_of("IN0", {"x", "yz"})}).error().code
        == runtime::error_code::bad_input);
  spec.kind = model_kind::add_sub;
  CHECK(tests::any_contains(check_model_spec(spec), "inputs[0].optional: expected false"));
}

TEST_CASE("a BOOL that is neither 0 nor 1 is refused, and the element named") {
  const auto spec = spec_of(model_kind::identity, datatype::boolean, 1, 3);
  const auto given = [](std::uint8_t last) {
    return tensor_of<std::uint8_t>("IN0", datatype::boolean, {0, 1, last});
  };
  CHECK(run_builtin(spec, {given(1)}).has_value());
  const auto refused = run_builtin(spec, {given(255)});
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == runtime::error_code::bad_input);
  CHECK(refused.error().details
        == std::vector<std::string>{"inputs[0].data[2]: expected 0 or 1, got 255"});
}

TEST_CASE("add_sub gives the sum and the difference, and whole numbers wrap around") {
  const auto spec = spec_of(model_kind::add_sub, datatype::int8, 2, 3);
  const auto outputs =
    run_builtin(spec, {tensor_of<std::int8_t>("IN0", datatype::int8, {1, 127, -128}),
                       tensor_of<std::int8_t>("IN1", datatype::int8, {2, 1, 1})});
  REQUIRE(outputs);
  CHECK(values_of<std::int8_t>(outputs->at(0)) == std::vector<std::int8_t>{3, -128, -127});
  CHECK(values_of<std::int8_t>(outputs->at(1)) == std::vector<std::int8_t>{-1, 126, 127});
  CHECK(outputs->at(1).name == "OUT1");
  const auto real = spec_of(model_kind::add_sub, datatype::fp64, 2, 1);
  const auto halves = run_builtin(real, {tensor_of<double>("IN0", datatype::fp64, {0.5}),
                                         tensor_of<double>("IN1", datatype::fp64, {0.25})});
  CHECK(values_of<double>(halves->at(0)) == std::vector<double>{0.75});
  CHECK(values_of<double>(halves->at(1)) == std::vector<double>{0.25});
}

TEST_CASE("add_sub of texts adds the numbers that they spell, and refuses others") {
  const auto spec = spec_of(model_kind::add_sub, datatype::bytes, 2, 2);
  const auto outputs =
    run_builtin(spec, {texts_of("IN0", {"7", "-3"}), texts_of("IN1", {"1", "12"})});
  REQUIRE(outputs);
  CHECK(outputs->at(0).data == texts_of("", {"8", "9"}).data);
  CHECK(outputs->at(1).data == texts_of("", {"6", "-15"}).data);
  const auto refused =
    run_builtin(spec, {texts_of("IN0", {"7", "x"}), texts_of("IN1", {"1", "1"})});
  CHECK(refused.error().code == runtime::error_code::bad_input);
  CHECK(refused.error().message == "\"x\" is no whole number");
}

TEST_CASE("inputs that do not fit are refused, and so are kinds that are not built in") {
  const auto spec = spec_of(model_kind::identity, datatype::int32, 1, 2);
  CHECK(run_builtin(spec, {}).error().code == runtime::error_code::bad_input);
  auto torch = spec;
  torch.kind = model_kind::torchscript;
  CHECK(run_builtin(torch, {tensor_of<std::int32_t>("IN0", datatype::int32, {1, 2})}).error().code
        == runtime::error_code::internal);
  CHECK(is_builtin(model_kind::delay));
  CHECK_FALSE(is_builtin(model_kind::ensemble));
}

TEST_CASE("a delay that is no number, and kinds with unlike tensors, are no configuration") {
  auto spec = spec_of(model_kind::delay, datatype::int32, 1, 2);
  spec.parameters["delay_ms"] = "soon";
  CHECK(tests::any_contains(check_model_spec(spec), "parameters.delay_ms"));
  spec.parameters["delay_ms"] = "1";
  CHECK(check_model_spec(spec).empty());
  CHECK(run_builtin(spec, {tensor_of<std::int32_t>("IN0", datatype::int32, {1, 2})}).has_value());
  spec.outputs[0].type = datatype::int64;
  CHECK(tests::any_contains(check_model_spec(spec), "outputs: expected the types"));
}
