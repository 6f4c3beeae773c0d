#include "gateway/inference/request_reader.hpp"

#include <cstring>
#include <optional>
#include <thread>

#include <doctest/doctest.h>

namespace {

using namespace dim;
using gateway::framed_body;
using gateway::inference_request;

/// Reads `json` with `binary` behind it.
runtime::expected<inference_request> read(std::string_view json, std::string_view binary = {}) {
  auto body = runtime::bytes::copy_of(std::string{json} + std::string{binary});
  framed_body framed{body.view().substr(0, json.size()), body.view().substr(json.size()), false};
  return gateway::read_inference_request(body, framed, "m");
}

/// A request with one input of these members.
std::string with_input(const std::string& members) {
  return R"({"inputs":[{"name":"x",)" + members + "}]}";
}

models::tensor input(const std::string& members) {
  auto request = read(with_input(members));
  if (!request)
    FAIL(request.error().message);
  return request->inputs.at(0);
}

std::string problem(const std::string& members, std::string_view binary = {}) {
  auto request = read(with_input(members), binary);
  REQUIRE(!request);
  CHECK(request.error().code == runtime::error_code::bad_input);
  return request.error().message;
}

bool has(const std::string& text, std::string_view words) {
  CAPTURE(text);
  CHECK(text.find(words) != std::string::npos);
  return text.find(words) != std::string::npos;
}

template <class T>
std::vector<T> numbers(const models::tensor& x) {
  std::vector<T> result(x.data.size() / sizeof(T));
  std::memcpy(result.data(), x.data.data(), x.data.size());
  return result;
}

TEST_CASE("data may be flat, nested, or nested down to some level") {
  std::vector<float> wanted{1, 2, 3, 4, 5, 6, 7, 8};
  for (auto data :
       {"[1,2,3,4,5,6,7,8]", "[[1,2,3,4],[5,6,7,8]]", "[[[1,2],[3,4]],[[5,6],[7,8]]]"}) {
    CAPTURE(data);
    auto x = input(R"("datatype":"FP32","shape":[2,2,2],"data":)" + std::string{data});
    CHECK(numbers<float>(x) == wanted);
  }
}

TEST_CASE("data that does not fit the shape is refused") {
  for (auto data : {"[1,2,3]", "[1,2,3,4,5]", "[[1,2,3],[4]]", "[[1,2],3,4]", "[1,2,[3,4]]",
                    "[[[1],[2]],[[3],[4]]]", "[[1,2,3,4]]", "1", "{}", "\"1\"", "[[1,2],[3]]"}) {
    CAPTURE(data);
    has(problem(R"("datatype":"INT32","shape":[2,2],"data":)" + std::string{data}), "'x'");
  }
}

TEST_CASE("members may come in any order, with unknown ones and nulls between") {
  auto x = input(R"("data":[[1],[2]],"extra":[{"a":[]}],"parameters":null,"shape":[2,1],)"
                 R"("more":null,"datatype":"INT8")");
  CHECK(numbers<std::int8_t>(x) == std::vector<std::int8_t>{1, 2});
  auto two = read(R"({"outputs":null,"id":null,"inputs":[
    {"data":[7],"name":"a","shape":[1],"datatype":"UINT8"},
    {"name":"b","data":[true,false],"shape":[2],"datatype":"BOOL"}],"z":0})");
  REQUIRE(two);
  CHECK(two->inputs.at(1).data.view() == std::string_view("\1\0", 2));
}

TEST_CASE("a key as long as the request, before data that comes first, harms nothing") {
  // Each thread has a parser of its own, and a large text has one too.
  for (auto size : {50'000, 100'000, 400'000, 3'000'000, 12'000'000}) {
    CAPTURE(size);
    std::string key(static_cast<std::size_t>(size), 'a');
    auto text = "{\"inputs\":[{\"" + key + R"(":1,"data":["b\n"],"name":"x","shape":[1],)"
                + R"("d\u0061tatype":"BYTES"}]})";
    std::optional<runtime::expected<inference_request>> request;
    std::thread{[&] { request = read(text); }}.join();
    REQUIRE(request->has_value());
    CHECK((*request)->inputs.at(0).data.view() == std::string_view("\2\0\0\0b\n", 6));
  }
}

TEST_CASE("what says how to read an input stands in it only once") {
  std::string good = R"("datatype":"FP32","shape":[1],"data":[1])";
  for (std::string twice :
       {R"("shape":[2])", R"("datatype":"INT8")", R"("data":[2])"})
    problem(good + "," + twice);
  has(problem(R"("data":[1],"data":[2],"datatype":"FP32","shape":[1])"),
      "inputs.data: expected only once");
}

TEST_CASE("members that are passed over must be JSON too") {
  for (auto good : {"true", "false", "null", "-0.5e3", "123456789012345678901234567890", "[]", "{}",
                    R"([1,[null,{"a":"\ud83d\ude00"}],"\\"])"}) {
    CAPTURE(good);
    auto member = std::string{R"("y":)"} + good;
    CHECK(read(R"({"inputs":[],)" + member + "}"));
    CHECK(read(R"({"inputs":[],"outputs":[{"name":"a",)" + member + "}]}"));
    input(R"("datatype":"FP32","shape":[0],)" + member);
  }
  for (auto bad : {"tru", "truex", "nope", "nul", "nullx", "01", "1x", "-", ".5", "\"\\q\"",
                   "\"\\ud800\"", "[1 2]", "[1,]", "[1,,2]", "{\"a\"}", "{\"a\":}", "{\"a\" 1}",
                   "{\"\\q\":1}", "[nul]", "{1:2}", ""}) {
    CAPTURE(bad);
    auto member = std::string{R"("y":)"} + bad;
    CHECK(!read(R"({"inputs":[],)" + member + "}"));
    CHECK(!read(R"({"inputs":[],"parameters":{)" + member + "}}"));
    CHECK(!read(R"({"inputs":[],"outputs":[{"name":"a",)" + member + "}]}"));
    CHECK(!read(R"({"inputs":[],"outputs":[{"name":"a","parameters":{)" + member + "}}]}"));
    problem(R"("datatype":"FP32","shape":[0],)" + member);
    problem(R"("datatype":"FP32","shape":[0],"parameters":{)" + member + "}");
  }
}

TEST_CASE("what is wrong with a text as JSON is said") {
  auto words = [](std::string_view text) {
    auto request = read(text);
    REQUIRE(!request);
    return request.error().message;
  };
  auto whole = std::string{R"({"inputs":[]})"};
  has(words("{"), "expected an object that ends with the text");
  has(words(R"({"inputs":[])"), "expected an object that ends with the text");
  has(words(whole + " x"), "expected an object that ends with the text");
  has(words("\xef\xbb\xbf" + whole), "byte order mark");
  has(words("[]"), "expected an object");
  has(words(R"({"inputs":[],"id":"\ud800"})"), "id: expected a string with valid escapes");
  has(words(R"({"inputs":[],"id":nul})"), "expected null");
  has(problem(R"("datatype":"BYTES","shape":[1],"data":["\ud800"])"),
      "element 0: expected a string with valid escapes");
  has(problem(R"("datatype":"INT8","shape":[2],"data":[1,])"), "not valid JSON");
}

TEST_CASE("whole numbers must be in the range of their datatype, and booleans must be such") {
  struct {
    const char* type;
    const char* good;
    const char* bad;
  } cases[] = {
    {"INT8", "-128", "128"},
    {"UINT8", "255", "256"},
    {"INT16", "-32768", "32768"},
    {"UINT16", "65535", "-1"},
    {"INT32", "2147483647", "1.5"},
    {"UINT32", "4294967295", "4294967296"},
    {"INT64", "-9223372036854775808", "9223372036854775808"},
    {"UINT64", "18446744073709551615", "18446744073709551616"},
    {"BOOL", "true", "1"},
    {"FP32", "3e38", "1e39"},
    {"FP64", "1e308", "1e309"},
    {"BYTES", "\"1\"", "1"},
    {"FP64", "-0.0", "NaN"},
    {"INT32", "0", "true"},
  };
  for (auto& each : cases) {
    CAPTURE(each.type);
    auto members = std::string{R"("datatype":")"} + each.type + R"(","shape":[1],"data":[)";
    CHECK(input(members + each.good + "]").byte_size > 0);
    problem(members + each.bad + "]");
  }
}

TEST_CASE("16-bit floats in JSON are refused with words that point to binary data") {
  for (auto type : {"FP16", "BF16"})
    has(problem(std::string{R"("datatype":")"} + type + R"(","shape":[1],"data":[1])"), "binary");
  auto binary = read(
    with_input(R"("datatype":"FP16","shape":[2],"parameters":{"binary_data_size":4})"), "abcd");
  REQUIRE(binary);
  CHECK(binary->inputs.at(0).data.view() == "abcd");
}

TEST_CASE("texts keep NUL and every other character") {
  auto x = input(R"("datatype":"BYTES","shape":[2],"data":["a\u0000b","\u00e9"])");
  CHECK(x.data.view() == std::string_view("\3\0\0\0a\0b\2\0\0\0\xc3\xa9", 13));
  problem("\"datatype\":\"BYTES\",\"shape\":[1],\"data\":[\"\xff\"]");
}

TEST_CASE("a shape with a zero takes no data, and one without entries takes one element") {
  CHECK(input(R"("datatype":"FP32","shape":[0,4])").data.empty());
  CHECK(input(R"("datatype":"FP32","shape":[0,4],"data":[])").data.empty());
  CHECK(input(R"("datatype":"FP32","shape":[],"data":[2])").byte_size == 4);
  problem(R"("datatype":"FP32","shape":[1])");
}

TEST_CASE("shapes are whole numbers from 0 whose product can be counted") {
  for (auto shape :
       {"[-1]", "[1.5]", "[\"1\"]", "1", "[4294967296,4294967296,4]", "[99999999999999999999]"})
    problem(R"("datatype":"FP32","data":[1],"shape":)" + std::string{shape});
  std::string many = "[1";
  for (int i = 0; i < 100; ++i)
    many += ",1";
  problem(R"("datatype":"FP32","data":[1],"shape":)" + many + "]");
  problem(R"("datatype":"FP32","shape":[2305843009213693952],"parameters":{"binary_data_size":0})");
}

TEST_CASE("binary inputs are taken in their order, and all bytes must be used") {
  auto binary = [](int size) {
    return R"("datatype":"INT8","shape":[2],"parameters":{"binary_data_size":)"
           + std::to_string(size) + "}";
  };
  auto two = R"({"inputs":[{"name":"a",)" + binary(2) + R"(},{"name":"b",)" + binary(2) + "}]}";
  auto request = read(two, "abcd");
  REQUIRE(request);
  CHECK(request->inputs.at(0).data.view() == "ab");
  CHECK(request->inputs.at(1).data.view() == "cd");
  has(read(two, "abc").error().message,
      "unexpected size for input 'b', expecting 1 additional bytes for model 'm'");
  has(read(two, "abcde").error().message, "unexpected additional input data for model 'm'");
  has(problem(binary(3), "abc"), "input byte size mismatch");
  has(problem(R"("datatype":"FP64","shape":[2305843009213693952],)"
              R"("parameters":{"binary_data_size":0})"),
      "Expected 2305843009213693952 elements of 8 bytes, got 0");
  has(problem(binary(2) + R"(,"data":[1,2])", "ab"), "not both");
  problem(R"("datatype":"INT8","shape":[2],"parameters":{"binary_data_size":-1})");
}

TEST_CASE("binary texts must have lengths that add up to the shape") {
  auto members = R"("datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":6})";
  auto good = read(with_input(members), std::string_view("\2\0\0\0ab", 6));
  REQUIRE(good);
  CHECK(good->inputs.at(0).byte_size == 6);
  problem(members, std::string_view("\3\0\0\0ab", 6));
  problem(members, std::string_view("\1\0\0\0ab", 6));
}

TEST_CASE("names are needed, and stand only once") {
  CHECK(!read(R"({"inputs":[{"datatype":"FP32","shape":[0]}]})"));
  auto x = std::string{R"({"name":"x","datatype":"FP32","shape":[0]})"};
  has(read("{\"inputs\":[" + x + "," + x + "]}").error().message,
      "input 'x' already exists in request");
  has(read(R"({"inputs":[],"outputs":[{"name":"y"},{"name":"y"}]})").error().message,
      "output 'y' already exists in request");
  CHECK(!read(R"({"inputs":[],"outputs":[{}]})"));
  problem(R"("datatype":"FLOAT","shape":[0])");
  problem(R"("shape":[0])");
  problem(R"("datatype":"FP32")");
}

TEST_CASE("an output's own wish goes before that of the request") {
  auto request = read(R"({"inputs":[],"outputs":[
    {"name":"a"},{"name":"b","parameters":{"binary_data":false}},
    {"name":"c","parameters":{"classification":3}}],"parameters":{"binary_data_output":true}})");
  REQUIRE(request);
  CHECK(request->outputs.at(0).is_binary);
  CHECK(!request->outputs.at(1).is_binary);
  CHECK(request->outputs.at(2).classes == 3);
}

TEST_CASE("reserved parameters are refused, unknown ones are not, and known ones have a type") {
  auto with = [](const std::string& parameters) {
    return read(R"({"inputs":[],"parameters":{)" + parameters + "}}");
  };
  CHECK(with(R"("sequence_id":0,"mine":1.5,"text":"a","flag":true,"none":null)"));
  for (auto bad : {R"("headers":1)", R"("triton_x":"a")", R"("priority":-1)", R"("timeout":"1")",
                   R"("priority":4294967296)", R"("binary_data_output":1)", R"("mine":[])"})
    CHECK(!with(bad));
  auto shared = read(R"({"inputs":[],"outputs":[{"name":"y","parameters":)"
                     R"({"shared_memory_region":"r"}}]})");
  REQUIRE(!shared);
  CHECK(shared.error().code == runtime::error_code::unsupported);
}

TEST_CASE("what is not one JSON object of the right form is refused") {
  for (auto text :
       {"", "{", "[]", "1", "{}", "{\"inputs\":1}", "{\"inputs\":[1]}", "{\"inputs\":[]",
        "{\"inputs\":[]}}", "{\"inputs\":[]} x", "\xff\xfe", "{\"id\":1,\"inputs\":[]}",
        "{\"inputs\":[],}", "{\"inputs\":[],\"inputs\":[]}"}) {
    CAPTURE(text);
    CHECK(!read(text));
  }
  for (auto depth : {101, 250'000}) {
    auto text = R"({"inputs":[],"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
    CHECK(!read(text));
  }
  CHECK(read(R"({"inputs":[],"x":)" + std::string(99, '[') + std::string(99, ']') + "}"));
}

}  // namespace
