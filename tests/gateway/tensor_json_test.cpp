#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <random>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "gateway/base64.hpp"
#include "gateway/tensor_json_reader.hpp"
#include "gateway/tensor_json_writer.hpp"
#include "runtime/random_source.hpp"

namespace {

using namespace dim;
using namespace dim::gateway;
using models::datatype;
using nlohmann::json;

struct outcome {
  models::tensor_list tensors;
  std::vector<std::string> problems;
};

struct document {
  models::tensor_list tensors;
};

constexpr member_reader<document> document_members[] = {
  {"inputs", [](json_reader& reader, json_value value, const json_path& path,
                document& target) { target.tensors = read_tensors(reader, value, path, 8); }},
};

/// Reads `{"inputs": <text>}`.
outcome read(const std::string& text) {
  problem_list problems{100};
  json_reader reader{problems};
  document target;
  reader.read_document<document>(runtime::bytes::copy_of("{\"inputs\":" + text + "}"),
                                 document_members, target);
  return {std::move(target.tensors), problems.take()};
}

/// Reads one tensor of these members, which must be right.
models::tensor read_one(const std::string& type, const std::string& shape,
                        const std::string& data) {
  auto read_back = read(R"([{"name":"x","datatype":")" + type + R"(","shape":)" + shape
                        + R"(,"data":)" + data + "}]");
  CAPTURE(read_back.problems);
  REQUIRE(read_back.problems.empty());
  REQUIRE(read_back.tensors.size() == 1);
  return read_back.tensors[0];
}

/// The first problem of one tensor of these members.
std::string problem_of(const std::string& type, const std::string& shape, const std::string& data) {
  auto read_back = read(R"([{"name":"x","datatype":")" + type + R"(","shape":)" + shape
                        + R"(,"data":)" + data + "}]");
  REQUIRE(!read_back.problems.empty());
  return read_back.problems[0];
}

template <class T>
std::vector<T> elements(const models::tensor& x) {
  std::vector<T> result(x.data.size() / sizeof(T));
  std::memcpy(result.data(), x.data.data(), x.data.size());
  return result;
}

template <class T>
models::tensor tensor_of(datatype type, const std::vector<T>& values) {
  std::vector<char> data(values.size() * sizeof(T));
  std::memcpy(data.data(), values.data(), data.size());
  return models::make_tensor("x", type, {static_cast<std::int64_t>(values.size())},
                             std::move(data));
}

std::string text_of(const models::tensor& x) {
  json_writer out;
  write_tensors(out, {x});
  return out.take();
}

template <class T>
void check_round_trip(datatype type, const std::vector<T>& values) {
  auto x = tensor_of(type, values);
  auto read_back = read(text_of(x));
  CAPTURE(models::to_string(type));
  CAPTURE(read_back.problems);
  REQUIRE(read_back.tensors.size() == 1);
  CHECK(read_back.tensors[0] == x);
}

template <class T>
void check_integer_range(datatype type) {
  using limits = std::numeric_limits<T>;
  check_round_trip<T>(type, {limits::min(), 0, 1, limits::max()});
  std::string name{models::to_string(type)};
  auto above = limits::digits == 64 ? std::string{"18446744073709551616"}
               : limits::digits == 63
                 ? std::string{"9223372036854775808"}
                 : std::to_string(static_cast<std::int64_t>(limits::max()) + 1);
  auto below = limits::digits == 63 ? std::string{"-9223372036854775809"}
               : limits::is_signed  ? std::to_string(static_cast<std::int64_t>(limits::min()) - 1)
                                    : std::string{"-1"};
  for (auto& wrong :
       {above, below, std::string{"1.0"}, std::string{"1e2"}, std::string{"true"},
        std::string{"\"1\""}, std::string{"null"}, std::string{"[1]"}, std::string{"{}"}}) {
    CAPTURE(wrong);
    auto problem = problem_of(name, "[1]", "[" + wrong + "]");
    CHECK(problem.find("inputs[0].data") == 0);
  }
}

TEST_CASE("the extremes of every integer type go both ways, and one beyond is refused") {
  check_integer_range<std::uint8_t>(datatype::uint8);
  check_integer_range<std::uint16_t>(datatype::uint16);
  check_integer_range<std::uint32_t>(datatype::uint32);
  check_integer_range<std::uint64_t>(datatype::uint64);
  check_integer_range<std::int8_t>(datatype::int8);
  check_integer_range<std::int16_t>(datatype::int16);
  check_integer_range<std::int32_t>(datatype::int32);
  check_integer_range<std::int64_t>(datatype::int64);
}

TEST_CASE("the extremes of floating point go both ways") {
  using f = std::numeric_limits<float>;
  using d = std::numeric_limits<double>;
  check_round_trip<float>(datatype::fp32, {0.0f, -0.0f, f::min(), f::denorm_min(), -f::denorm_min(),
                                           f::max(), f::lowest(), f::epsilon(), 0.1f, 1.0f / 3.0f});
  check_round_trip<double>(datatype::fp64, {0.0, -0.0, d::min(), d::denorm_min(), d::max(),
                                            d::lowest(), d::epsilon(), 0.1, 1.0 / 3.0});
}

TEST_CASE("BOOL takes true and false only") {
  auto x = read_one("BOOL", "[3]", "[true, false, true]");
  CHECK(elements<char>(x) == std::vector<char>{1, 0, 1});
  check_round_trip<char>(datatype::boolean, {1, 0, 0, 1});
  CHECK(problem_of("BOOL", "[1]", "[1]") == "inputs[0].data[0]: expected true or false, got 1");
}

TEST_CASE("BYTES takes strings of any UTF-8, also empty ones and with NUL") {
  auto x = read_one("BYTES", "[3]", R"(["\u00e4\u0000", "", "a\"b"])");
  std::string expected{"\3\0\0\0\xc3\xa4\0\0\0\0\0\3\0\0\0a\"b", 18};
  CHECK(x.data.view() == expected);
  CHECK(read(text_of(x)).tensors == models::tensor_list{x});
  CHECK(problem_of("BYTES", "[1]", "[1]") == "inputs[0].data[0]: expected a string, got 1");
}

TEST_CASE("random values of every type read back as the same bytes") {
  auto seed = std::random_device{}();
  MESSAGE("seed " << seed);
  runtime::random_source random{seed};
  for (int round = 0; round < 20; ++round) {
    std::vector<float> singles;
    std::vector<double> doubles;
    std::vector<std::uint64_t> wholes;
    std::vector<std::int16_t> halves;
    for (int i = 0; i < 500; ++i) {
      auto bits = random.next();
      auto single = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
      auto wide = std::bit_cast<double>(random.next());
      singles.push_back(std::isfinite(single) ? single : 1.5f);
      doubles.push_back(std::isfinite(wide) ? wide : 1.5);
      wholes.push_back(bits >> random.below(64));
      halves.push_back(static_cast<std::int16_t>(bits));
    }
    check_round_trip(datatype::fp32, singles);
    check_round_trip(datatype::fp64, doubles);
    check_round_trip(datatype::uint64, wholes);
    check_round_trip(datatype::int16, halves);
  }
}

TEST_CASE("FP32 is rounded once, from the decimal text") {
  // Each lies so close to the middle between two floats that its double is that middle.
  for (auto text : {"1.00000005960464477539062500000001", "1.00000017881393432617187499999999",
                    "16777217.0000000001", "7.006492321624085354618e-46",
                    "7.006492321624085354619e-46", "-1.00000005960464477539062500000001"}) {
    CAPTURE(text);
    auto x = read_one("FP32", "[1]", "[" + std::string{text} + "]");
    CHECK(elements<float>(x)[0] == std::strtof(text, nullptr));
  }
}

TEST_CASE("numbers that are not finite in the datatype are refused") {
  for (auto text : {"1e39", "-1e39", "1e999", "3.4028236e38"}) {
    CAPTURE(text);
    CHECK(problem_of("FP32", "[1]", "[" + std::string{text} + "]").find("inputs[0].data[0]") == 0);
  }
  CHECK(problem_of("FP64", "[1]", "[1e309]").find("inputs[0].data[0]") == 0);
  for (auto text : {"NaN", "Infinity", "-Infinity", "nan", "0x1", ".5", "1.", "+1", "01"}) {
    CAPTURE(text);
    CHECK(
      !read(R"([{"name":"x","datatype":"FP64","shape":[1],"data":[)" + std::string{text} + "]}]")
         .problems.empty());
  }
}

TEST_CASE("data may be flat, nested like the shape, or nested in part") {
  auto flat = read_one("INT32", "[2,3]", "[1,2,3,4,5,6]");
  CHECK(read_one("INT32", "[2,3]", "[[1,2,3],[4,5,6]]") == flat);
  auto deep = read_one("INT32", "[2,1,3]", "[1,2,3,4,5,6]");
  CHECK(read_one("INT32", "[2,1,3]", "[[[1,2,3]],[[4,5,6]]]") == deep);
  CHECK(read_one("INT32", "[2,1,3]", "[[1,2,3],[4,5,6]]") == deep);
  CHECK(elements<std::int32_t>(read_one("INT32", "[]", "[7]")) == std::vector<std::int32_t>{7});
}

TEST_CASE("the members of a tensor may come in any order") {
  auto x = read(R"([{"data":[1,2],"shape":[2],"datatype":"INT8","name":"x"}])");
  CHECK(x.problems.empty());
  REQUIRE(x.tensors.size() == 1);
  CHECK(elements<std::int8_t>(x.tensors[0]) == std::vector<std::int8_t>{1, 2});
  auto escaped = read(R"([{"d\u0061ta":[1,2],"shape":[2],"datatype":"INT8","n\u0061me":"x"}])");
  CHECK(escaped.problems.empty());
  CHECK(escaped.tensors == x.tensors);
}

TEST_CASE("a shape with a 0 takes no data, whether it is there or not") {
  CHECK(read_one("FP32", "[2,0]", "[]").data.empty());
  CHECK(read_one("FP32", "[2,0]", "[[],[]]").data.empty());
  CHECK(read_one("FP32", "[0,4611686018427387904,4611686018427387904]", "[]").data.empty());
  auto without = read(R"([{"name":"x","datatype":"FP32","shape":[0]}])");
  CHECK(without.problems.empty());
  CHECK(problem_of("FP32", "[0]", "[1]") == "inputs[0].data: expected 0 elements, got 1");
}

TEST_CASE("data that does not fit its shape is refused, with what was found") {
  CHECK(problem_of("FP32", "[2,3]", "[1,2,3,4,5]") == "inputs[0].data: expected 6 elements, got 5");
  CHECK(problem_of("FP32", "[1]", "[1,2,3]") == "inputs[0].data: expected 1 elements, got 3");
  CHECK(problem_of("FP32", "[2,3]", "[[1,2,3],[4,5]]")
        == "inputs[0].data[1]: expected 3 elements, got 2");
  CHECK(problem_of("FP32", "[2,3]", "[[1,2,3]]") == "inputs[0].data: expected 2 arrays, got 1");
  CHECK(problem_of("FP32", "[3]", "[[1,2],[3]]")
        == "inputs[0].data[0]: nested deeper than the shape");
  CHECK(problem_of("FP32", "[2,2]", "[[1,2],3,4]")
        == "inputs[0].data: mixes arrays and single elements");
  CHECK(problem_of("FP32", "[2]", "{}") == "inputs[0].data: expected an array, got an object");
  CHECK(problem_of("FP32", "[2]", "null") == "inputs[0].data: expected an array, got null");
}

TEST_CASE("a shape that is none, or holds too much, is refused without taking memory") {
  CHECK(problem_of("FP32", "[2,-1]", "[1]")
        == "inputs[0].shape[1]: expected a whole number from 0 to 4611686018427387904, got -1");
  CHECK(problem_of("FP32", "[1.5]", "[1]").find("inputs[0].shape[0]: expected a whole number")
        == 0);
  CHECK(problem_of("FP32", "3", "[1]") == "inputs[0].shape: expected an array, got 3");
  CHECK(problem_of("FP32", "[4294967296,4294967296,4294967296]", "[1]")
        == "inputs[0].shape: the shape holds too many elements");
  CHECK(problem_of("FP64", "[4000000000000000000]", "[1]")
        == "inputs[0].data: expected 4000000000000000000 elements, got 1");
  CHECK(problem_of("FP64", "[1,1,1,1,1,1,1,1,1]", "[1]")
        == "inputs[0].shape: expected at most 8 dimensions, got 9");
}

TEST_CASE("datatypes that are unknown, or that JSON can not carry, are refused") {
  CHECK(problem_of("FLOAT", "[1]", "[1]") == "inputs[0].datatype: unknown datatype \"FLOAT\"");
  for (auto type : {"FP16", "BF16"})
    CHECK(problem_of(type, "[1]", "[1]").find("can not be sent as JSON") != std::string::npos);
}

TEST_CASE("all problems of all tensors are named at once") {
  auto many = read(R"([{"shape":[1],"data":[1]},
                       {"name":"","datatype":"INT8","shape":[2],"data":[300,"a"],"extra":1},
                       {"name":"a/b","datatype":"X","shape":[1],"shape":[1],"data":[1]},
                       {"name":"y","datatype":"INT8","shape":[1],"data":[1]},
                       {"name":"y","datatype":"INT8","shape":[1],"data":[2]}, 7])");
  std::vector<std::string> paths;
  for (auto& problem : many.problems)
    paths.push_back(problem.substr(0, problem.find(": ")));
  CHECK(paths
        == std::vector<std::string>{"inputs[0].name", "inputs[0].datatype", "inputs[1].name",
                                    "inputs[1].extra", "inputs[1].data[0]", "inputs[1].data[1]",
                                    "inputs[2].name", "inputs[2].datatype", "inputs[2].shape",
                                    "inputs[4].name", "inputs[5]"});
  CHECK(many.problems[9] == "inputs[4].name: the same as of inputs[3]");
  CHECK(read("[]").problems
        == std::vector<std::string>{"inputs: expected 1 to 1024 tensors, got 0"});
}

TEST_CASE("a tensor that JSON can not carry is written in base64, and says why") {
  auto infinite = tensor_of<float>(datatype::fp32, {1.0f, INFINITY});
  auto half = tensor_of<std::uint16_t>(datatype::fp16, {0x3c00});
  auto text = models::make_tensor("x", datatype::bytes, {1}, {'\1', 0, 0, 0, '\xff'});
  auto short_data = models::make_tensor("x", datatype::fp32, {2}, {0, 0, 0, 0});
  for (auto& x : {infinite, half, text, short_data}) {
    auto written = json::parse(text_of(x))[0];
    CHECK(!written.contains("data"));
    CHECK(from_base64(written["data_base64"].get<std::string>()) == std::string{x.data.view()});
    CHECK(written["parameters"]["encoding"] == "base64");
    CHECK(!written["parameters"]["reason"].get<std::string>().empty());
  }
}

TEST_CASE("a detached tensor is written without data, with its digest and size") {
  auto x = tensor_of<float>(datatype::fp32, {1.0f, 2.0f});
  auto written = json::parse(text_of(models::detached(x)))[0];
  CHECK(written["data"].is_null());
  CHECK(written["digest"] == x.digest);
  CHECK(written["byte_size"] == 8);
  CHECK(written["shape"] == json{2});
}

TEST_CASE("a tensor of many megabytes goes both ways") {
  std::vector<float> values(1 << 20);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i) / 7.0f;
  check_round_trip(datatype::fp32, values);
}

}  // namespace
