#include "models/model.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "models/agreement.hpp"
#include "models/device.hpp"
#include "tests/models/script.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::datatype;
using models::model;
using runtime::error_code;
using tests::floats;
using tests::script;

namespace {

/// y = 2x + 1, row by row.
script linear() {
  return script{R"(
def forward(self, x):
    return torch.addmm(self.bias, x, self.weight)
)",
                {{"weight", {2, 1}, {2, 2}}, {"bias", {1}, {1}}}};
}

models::model_spec one_to_one(datatype type) {
  auto spec = tests::simple_spec(2, 2, 8);
  spec.inputs.front().type = type;
  spec.outputs.front().type = type;
  return spec;
}

bool contains(const std::string& text, std::string_view words) {
  return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("a forward gives the declared outputs, one row for each input row") {
  const auto file = linear();
  auto program = file.loaded(tests::simple_spec(2, 1, 8));
  const auto outputs = program.run({floats("x", {3, 2}, {0, 0, 1, 1, 2, 0})}, false);
  REQUIRE(outputs.has_value());
  REQUIRE(outputs->size() == 1);
  const models::tensor& y = outputs->front();
  CHECK(y.name == "y");
  CHECK(y.type == datatype::fp32);
  CHECK(y.shape == std::vector<std::int64_t>{3, 1});
  CHECK(y.byte_size == 12);
  CHECK(y.digest.empty());
  CHECK(tests::elements_of<float>(y) == std::vector<float>{1, 5, 5});
  CHECK(program.memory_bytes() == 12);
}

TEST_CASE("every supported datatype goes through to the byte") {
  const script file{"def forward(self, x):\n    return torch.clone(x)\n"};
  const auto passes = [&](datatype type, auto element, auto other) {
    CAPTURE(models::to_string(type));
    auto program = file.loaded(one_to_one(type));
    const auto x = tests::tensor_of<decltype(element)>("x", type, {1, 2}, {element, other});
    const auto outputs = program.run({x}, false);
    REQUIRE(outputs.has_value());
    CHECK(outputs->front().data == x.data);
    CHECK(outputs->front().type == type);
  };
  passes(datatype::boolean, std::uint8_t{1}, std::uint8_t{0});
  passes(datatype::uint8, std::uint8_t{255}, std::uint8_t{1});
  passes(datatype::int8, std::int8_t{-128}, std::int8_t{1});
  passes(datatype::int16, std::int16_t{-32768}, std::int16_t{1});
  passes(datatype::int32, std::int32_t{-2147483647}, std::int32_t{1});
  passes(datatype::int64, std::int64_t{1} << 62, std::int64_t{-1});
  passes(datatype::fp16, std::uint16_t{0x3c00}, std::uint16_t{0x8000});
  passes(datatype::bf16, std::uint16_t{0x3f80}, std::uint16_t{0xff80});
  passes(datatype::fp32, 1e-42F, -INFINITY);
  passes(datatype::fp64, 1e-310, std::nan(""));
}

TEST_CASE("datatypes that TorchScript does not have are refused") {
  const script file{"def forward(self, x):\n    return torch.clone(x)\n"};
  for (const auto type : {datatype::bytes, datatype::uint16, datatype::uint32, datatype::uint64}) {
    CAPTURE(models::to_string(type));
    CHECK(file.load(one_to_one(type)).error().code == error_code::unsupported);
    auto spec = one_to_one(datatype::fp32);
    spec.outputs.front().type = type;
    CHECK(file.load(spec).error().code == error_code::unsupported);
  }
}

TEST_CASE("tuples and lists are outputs in the declared order, dictionaries by name") {
  auto spec = tests::simple_spec(2, 2, 8);
  spec.outputs.push_back({"z", datatype::fp32, {2}, {}});
  for (const std::string body : {"return (x, x + 1)", "return [x, x + 1]",
                                 "return {'z': x + 1, 'y': x, 'w': x + 2}"}) {
    CAPTURE(body);
    const script file{"def forward(self, x):\n    " + body + "\n"};
    auto program = file.loaded(spec);
    const auto outputs = program.run({floats("x", {1, 2}, {5, 6})}, false);
    REQUIRE(outputs.has_value());
    REQUIRE(outputs->size() == 2);
    CHECK((*outputs)[0].name == "y");
    CHECK(tests::elements_of<float>((*outputs)[0]) == std::vector<float>{5, 6});
    CHECK((*outputs)[1].name == "z");
    CHECK(tests::elements_of<float>((*outputs)[1]) == std::vector<float>{6, 7});
  }
}

TEST_CASE("inputs go to forward in the declared order, whatever the order of the request") {
  const script file{"def forward(self, a, b):\n    return a - b\n"};
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs = {{"first", datatype::fp32, {1}, {}}, {"second", datatype::fp32, {1}, {}}};
  auto program = file.loaded(spec);
  const auto outputs =
    program.run({floats("second", {1, 1}, {1}), floats("first", {1, 1}, {10})}, false);
  REQUIRE(outputs.has_value());
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{9});
}

TEST_CASE("a model without batch dimension runs on the declared shapes, also on a scalar") {
  const script file{"def forward(self, x):\n    return torch.sum(x)\n"};
  auto spec = tests::simple_spec(-1, 1, 0);
  spec.outputs.front().dims.clear();
  auto program = file.loaded(spec);
  const auto outputs = program.run({floats("x", {3}, {1, 2, 3})}, false);
  REQUIRE(outputs.has_value());
  CHECK(outputs->front().shape.empty());
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{6});
  CHECK(tests::elements_of<float>(program.run({floats("x", {0}, {})}, false)->front())
        == std::vector<float>{0});
}

TEST_CASE("outputs that are not contiguous come out in order") {
  const script file{"def forward(self, x):\n    return torch.transpose(x, 1, 2)\n"};
  auto spec = tests::simple_spec(2, 2, 8);
  spec.inputs.front().dims = {2, 3};
  spec.outputs.front().dims = {3, 2};
  auto program = file.loaded(spec);
  const auto outputs = program.run({floats("x", {1, 2, 3}, {1, 2, 3, 4, 5, 6})}, false);
  REQUIRE(outputs.has_value());
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("outputs other than declared are told in words") {
  const auto refusal = [](const std::string& body, const models::model_spec& spec) {
    return script{"def forward(self, x):\n    " + body + "\n"}.refusal(spec);
  };
  const auto spec = tests::simple_spec(2, 2, 8);
  CHECK(refusal("return x > 0", spec)
        == "output y: FP32 is declared, but the model gives Bool");
  CHECK(refusal("return torch.sum(x)", spec)
        == "output y: the shape [1, 2] is declared, but the model gives []");
  CHECK(refusal("return torch.cat([x, x])", spec)
        == "output y: the shape [1, 2] is declared, but the model gives [2, 2]");
  CHECK(refusal("return (x, x)", spec)
        == "forward gives 2 tensors, but 1 outputs are declared");
  CHECK(refusal("return {'z': x}", spec) == "forward gives no tensor named y");
  CHECK(contains(refusal("return 3", spec), "forward gives Int, not tensors"));
  CHECK(contains(refusal("return (x, 3)", spec), "other than tensors"));
}

TEST_CASE("a forward that does not take the declared inputs is told in words") {
  const script file{"def forward(self, a, b):\n    return a\n"};
  CHECK(file.refusal(tests::simple_spec(2, 2, 8))
        == "forward takes 2 tensors, but 1 inputs are declared");
  CHECK(script{"def backward(self, a):\n    return a\n"}.refusal(tests::simple_spec(2, 2, 8))
        == "the program has no method forward");
  CHECK(contains(linear().refusal(tests::simple_spec(3, 1, 8)), "mat1 and mat2"));
  const script optional{"def forward(self, a, scale: float = 2.0):\n    return a * scale\n"};
  CHECK(optional.load(tests::simple_spec(2, 2, 8)).has_value());
}

TEST_CASE("files that are no TorchScript are refused, whatever they hold") {
  const tests::temporary_folder folder;
  const auto refusal = [&](std::string_view content) {
    tests::write_file(folder / "m.pt", content);
    const auto opened =
      model::load(folder / "m.pt", tests::simple_spec(2, 1, 8), "cpu:0", 1);
    REQUIRE_FALSE(opened.has_value());
    CHECK(opened.error().code == error_code::bad_model);
    return opened.error().message;
  };
  CHECK(refusal("") == "the file is empty or can not be read");
  CHECK(refusal("not a model") == "the file is not a TorchScript archive");
  CHECK(contains(refusal("PK\x03\x04 and nothing else"), "can not be opened as TorchScript"));
  const auto whole = linear();
  std::filesystem::copy_file(whole.path(), folder / "cut.pt");
  for (const std::uintmax_t cut : {1, 10, 100, 500}) {
    std::filesystem::resize_file(folder / "cut.pt",
                                 std::filesystem::file_size(folder / "cut.pt") - cut);
    CHECK(model::load(folder / "cut.pt", tests::simple_spec(2, 1, 8), "cpu:0", 1).error().code
          == error_code::bad_model);
  }
  CHECK(model::load(folder / "none.pt", tests::simple_spec(2, 1, 8), "cpu:0", 1).error().code
        == error_code::bad_model);
}

TEST_CASE("inputs that do not fit are refused with every problem, and the model goes on") {
  const auto file = linear();
  auto program = file.loaded(tests::simple_spec(2, 1, 8));
  const auto wrong = program.run({floats("x", {1, 3}, {1, 2, 3})}, false);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(wrong.error().code == error_code::bad_input);
  CHECK(wrong.error().details
        == std::vector<std::string>{"inputs[0].shape[1]: expected 2, got 3"});
  const auto x = floats("x", {1, 2}, {1, 2});
  CHECK(program.run({models::detached(x)}, false).error().code == error_code::bad_input);
  CHECK(program.run({x}, false).has_value());
}

TEST_CASE("a BOOL that is neither 0 nor 1 never reaches LibTorch") {
  const script file{"def forward(self, x):\n    return torch.clone(x)\n"};
  auto program = file.loaded(one_to_one(datatype::boolean));
  const auto x = tests::tensor_of<std::uint8_t>("x", datatype::boolean, {1, 2}, {1, 2});
  CHECK(program.run({x}, false).error().code == error_code::bad_input);
}

TEST_CASE("what LibTorch says is passed on in one line, and the model goes on") {
  const script file{R"(
def forward(self, x):
    return torch.index_select(x, 0, torch.select(x, 1, 0).to(4))
)"};
  auto program = file.loaded(tests::simple_spec(2, 2, 8));
  const auto failed = program.run({floats("x", {1, 2}, {7, 0})}, false);
  REQUIRE_FALSE(failed.has_value());
  CHECK(failed.error().code == error_code::internal);
  CHECK(contains(failed.error().message, "out of range"));
  CHECK_FALSE(contains(failed.error().message, "\n"));
  CHECK(program.run({floats("x", {1, 2}, {0, 5})}, false).has_value());
}

TEST_CASE("a forward that asks for more memory than there is ends as memory_limit") {
  const script file{R"(
def forward(self, x):
    rows = int(torch.max(x)) * 1000000000000 + 1
    return x + torch.zeros([rows, 1])[0]
)"};
  auto program = file.loaded(tests::simple_spec(1, 1, 8));
  CHECK(program.run({floats("x", {1, 1}, {1000})}, false).error().code
        == error_code::memory_limit);
  CHECK(program.run({floats("x", {1, 1}, {0})}, false).has_value());
}

TEST_CASE("a program that writes into its input leaves the request's bytes alone") {
  const script file{"def forward(self, x):\n    return x.add_(1)\n"};
  auto program = file.loaded(tests::simple_spec(2, 2, 8));
  const auto x = floats("x", {1, 2}, {1, 2});
  const auto outputs = program.run({x}, false);
  REQUIRE(outputs.has_value());
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{2, 3});
  CHECK(tests::elements_of<float>(x) == std::vector<float>{1, 2});
}

TEST_CASE("a program that writes into its input only at times is found out") {
  const script file{R"(
def forward(self, x):
    if bool(torch.max(x) > 0):
        x.add_(1)
    return torch.clone(x)
)"};
  auto program = file.loaded(tests::simple_spec(2, 2, 8));
  CHECK(program.run({floats("x", {1, 2}, {1, 2})}, false).error().code == error_code::internal);
  const auto x = floats("x", {1, 2}, {1, 2});
  const auto outputs = program.run({x}, false);
  REQUIRE(outputs.has_value());
  CHECK(tests::elements_of<float>(outputs->front()) == std::vector<float>{2, 3});
  CHECK(tests::elements_of<float>(x) == std::vector<float>{1, 2});
}

TEST_CASE("deterministic runs draw the same random numbers, others do not") {
  const script file{"def forward(self, x):\n    return torch.rand_like(x)\n"};
  auto program = file.loaded(tests::simple_spec(2, 2, 8));
  const models::tensor_list inputs{floats("x", {1, 2}, {0, 0})};
  const auto first = program.run(inputs, true);
  CHECK(first.value() == program.run(inputs, true).value());
  const auto other = program.run(inputs, false);
  CHECK(other.value() != program.run(inputs, false).value());
  CHECK(first.value() == program.run(inputs, true).value());
}

TEST_CASE("a row answers alike alone and in a batch") {
  std::vector<float> weights;
  for (int index = 0; index < 64 * 16; ++index)
    weights.push_back(std::sin(static_cast<float>(index)));
  const script file{"def forward(self, x):\n    return torch.tanh(torch.matmul(x, self.w))\n",
                    {{"w", {64, 16}, weights}}};
  auto program = file.loaded(tests::simple_spec(64, 16, 32));
  std::vector<float> rows;
  for (int index = 0; index < 32 * 64; ++index)
    rows.push_back(std::cos(static_cast<float>(index)));
  const auto together =
    tests::elements_of<float>(program.run({floats("x", {32, 64}, rows)}, false)->front());
  for (std::ptrdiff_t row = 0; row < 32; ++row) {
    const auto alone =
      program.run({floats("x", {1, 64}, {rows.begin() + row * 64, rows.begin() + row * 64 + 64})},
                  false);
    REQUIRE(alone.has_value());
    CHECK(models::compare_outputs(
            models::comparison::tensor, *alone,
            {floats("y", {1, 16}, {together.begin() + row * 16, together.begin() + row * 16 + 16})})
            .agree);
  }
}

TEST_CASE("an unknown device and no thread at all are refused") {
  const auto file = linear();
  const auto spec = tests::simple_spec(2, 1, 8);
  CHECK(model::load(file.path(), spec, "disk:0", 1).error().code == error_code::bad_input);
  CHECK(model::load(file.path(), spec, "cpu:0", 0).error().code == error_code::bad_input);
  CHECK(model::load(file.path(), spec, "cpu:0-1", 2).has_value());
}

TEST_CASE("numbers behind the names, or forward's own names, tell which tensor goes where") {
  const script file{"def forward(self, x, y):\n    return x - y, x\n"};
  auto spec = tests::simple_spec(1, 1, 8);
  spec.inputs = {{"INPUT__1", datatype::fp32, {1}, {}}, {"INPUT__0", datatype::fp32, {1}, {}}};
  spec.outputs = {{"OUTPUT__1", datatype::fp32, {1}, {}}, {"OUTPUT__0", datatype::fp32, {1}, {}}};
  auto numbered = file.loaded(spec);
  const auto outputs =
    numbered.run({floats("INPUT__0", {1, 1}, {7}), floats("INPUT__1", {1, 1}, {2})}, false);
  REQUIRE(outputs);
  CHECK(tests::elements_of<float>(outputs->at(0)) == std::vector<float>{7});
  CHECK(tests::elements_of<float>(outputs->at(1)) == std::vector<float>{5});
  spec.inputs = {{"y", datatype::fp32, {1}, {}}, {"x", datatype::fp32, {1}, {}}};
  spec.outputs = {{"difference", datatype::fp32, {1}, {}}, {"first", datatype::fp32, {1}, {}}};
  const auto again =
    file.loaded(spec).run({floats("x", {1, 1}, {7}), floats("y", {1, 1}, {2})}, false);
  CHECK(tests::elements_of<float>(again->at(0)) == std::vector<float>{5});
}

TEST_CASE("a model is warmed up as its configuration says, and refused when that fails") {
  const script file{"def forward(self, x):\n    assert x.size(0) < 4 or bool(torch.any(x > 0.5))\n"
                    "    return x\n"};
  auto spec = tests::simple_spec(2, 2, 8);
  spec.warm_up = {{"zeros", 4, 1, models::warm_up_data::zeros, {}}};
  CHECK(file.load(spec).error().code == error_code::bad_model);
  spec.warm_up[0].data = models::warm_up_data::random;
  CHECK(file.load(spec).has_value());
  spec.warm_up[0].rows = 9;
  CHECK(contains(file.load(spec).error().message, "expected 1 to 8 rows"));
  spec.warm_up[0] = {"dims", 1, 1, models::warm_up_data::zeros, {{"x", {3}}}};
  CHECK(contains(file.load(spec).error().message, "the dims of x"));
}

TEST_CASE("a batch that does not fit the memory is run in two halves, and these not cut again") {
  const script file{"def forward(self, x):\n    if x.size(0) > 2:\n"
                    "        x = x + torch.zeros([70368744177664]).sum()\n"
                    "    return x * 2\n"};
  auto loaded = file.loaded(tests::simple_spec(1, 1, 8));
  const auto outputs = loaded.run({floats("x", {3, 1}, {1, 2, 3})}, false).value();
  CHECK(tests::elements_of<float>(outputs[0]) == std::vector<float>{2, 4, 6});
  CHECK(loaded.run({floats("x", {6, 1}, std::vector<float>(6))}, false).error().code
        == error_code::memory_limit);
}

TEST_CASE("verifying accepts what runs and refuses what does not") {
  const auto file = linear();
  CHECK(models::verify_model_file(file.path(), tests::simple_spec(2, 1, 8)).has_value());
  CHECK(models::verify_model_file(file.path(), tests::simple_spec(2, 1, 1)).has_value());
  CHECK(models::verify_model_file(file.path(), tests::simple_spec(3, 1, 8)).error().code
        == error_code::bad_model);
}

TEST_CASE("verifying finds a program that takes one row only") {
  const script file{"def forward(self, x):\n    return torch.reshape(x, [1, 2])\n"};
  CHECK(file.load(tests::simple_spec(2, 2, 8)).has_value());
  const auto verified = models::verify_model_file(file.path(), tests::simple_spec(2, 2, 8));
  REQUIRE_FALSE(verified.has_value());
  CHECK(verified.error().code == error_code::bad_model);
  CHECK(contains(verified.error().message, "with two rows: "));
}
