#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include <doctest/doctest.h>

#include "models/npy_file.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tools/dim/input_tensor.hpp"
#include "tools/dim/json_fields.hpp"
#include "tools/dim/submission.hpp"

using namespace dim::tools;
using dim::models::datatype;

namespace {

std::string input(const std::string& text) {
  auto result = parse_input(text);
  return result ? result->dump() : "refused: " + result.error().message;
}

bool is_refused(const std::string& text) {
  auto result = parse_input(text);
  return !result && result.error().status == exit_status::usage;
}

template <class Element>
void write_npy(const std::string& path, datatype type, std::vector<std::int64_t> shape,
               const std::vector<Element>& values) {
  std::ofstream file{path, std::ios::binary};
  file << dim::models::npy_header_of(type, shape);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size() * sizeof(Element)));
}

std::string body(const submission& wish, const std::string& standard_input = "") {
  std::istringstream in{standard_input};
  auto result = submission_body(wish, in);
  return result ? *result : "refused: " + result.error().message;
}

}  // namespace

TEST_CASE("an input on the command line becomes a tensor") {
  CHECK(input("x:FP32:1x3=0.5,1,-2e3")
        == R"({"name":"x","datatype":"FP32","shape":[1,3],"data":[0.5,1,-2000.0]})");
  CHECK(input("x:INT64:[2,2]=[[1,2],[3,9007199254740993]]")
        == R"({"name":"x","datatype":"INT64","shape":[2,2],"data":[[1,2],[3,9007199254740993]]})");
  CHECK(input("a:b:BOOL:2=true,false")
        == R"({"name":"a:b","datatype":"BOOL","shape":[2],"data":[true,false]})");
  CHECK(input("s:BYTES:2=1,two words")
        == R"({"name":"s","datatype":"BYTES","shape":[2],"data":["1","two words"]})");
  CHECK(input("x:FP32:=1") == R"({"name":"x","datatype":"FP32","shape":[],"data":[1]})");
  CHECK(input("x:FP32:0=") == R"({"name":"x","datatype":"FP32","shape":[0],"data":[]})");
}

TEST_CASE("an input that can not be read is refused as usage") {
  for (auto text : {"x", "x=1", "x:FP32=1", "x:FP32:a=1", "x:FP32:1x=1", "x:FP32:1=one",
                    "x:FP32:1=1,,2", "x:FP32:1=[1", "x:FP32:1=@/nowhere.json", "x=@/nowhere.npy",
                    "x:FP32:1=@/tmp", ":=", "x:FP32:1=NaN"}) {
    CAPTURE(text);
    CHECK(is_refused(text));
  }
}

TEST_CASE("values come from a JSON file") {
  dim::tests::temporary_folder folder;
  const std::string path = folder / "x.json";
  std::ofstream{path} << " [[1, 2],\n [3, 4]]\n";
  CHECK(input("x:FP32:2x2=@" + path)
        == R"({"name":"x","datatype":"FP32","shape":[2,2],"data":[[1,2],[3,4]]})");
  std::ofstream{path} << "{}";
  CHECK(is_refused("x:FP32:2x2=@" + path));
  CHECK(is_refused("x=@" + path));
}

TEST_CASE("a NumPy array brings its datatype and shape, and its values exactly") {
  dim::tests::temporary_folder folder;
  const std::string path = folder / "x.npy";
  write_npy<float>(path, datatype::fp32, {1, 3}, {0.1f, -0.0f, 16777216.0f});
  CHECK(input("x=@" + path)
        == R"({"name":"x","datatype":"FP32","shape":[1,3],"data":[0.1,-0.0,16777216.0]})");
  CHECK(input("x:FP32:1x3=@" + path).starts_with("{"));
  CHECK(is_refused("x:FP64:1x3=@" + path));
  CHECK(is_refused("x:FP32:3=@" + path));
  write_npy<std::int64_t>(path, datatype::int64, {2},
                          {-1, std::numeric_limits<std::int64_t>::max()});
  CHECK(input("x=@" + path)
        == R"({"name":"x","datatype":"INT64","shape":[2],"data":[-1,9223372036854775807]})");
  write_npy<std::uint8_t>(path, datatype::uint8, {2}, {0, 255});
  CHECK(input("x=@" + path) == R"({"name":"x","datatype":"UINT8","shape":[2],"data":[0,255]})");
  write_npy<double>(path, datatype::fp64, {1}, {std::numeric_limits<double>::quiet_NaN()});
  CHECK(is_refused("x=@" + path));
  std::ofstream{path} << "no array";
  CHECK(is_refused("x=@" + path));
}

TEST_CASE("flags alone describe a job, and leave out what was not said") {
  submission wish;
  wish.name = "n";
  wish.models = {"digits:2"};
  wish.inputs = {"x:FP32:1=1"};
  wish.redundancy = 3;
  wish.aggregate = "median";
  wish.priority = 9;
  CHECK(json::parse(body(wish)) == json::parse(R"({"name": "n", "model": "digits:2",
    "redundancy": 3, "aggregate": {"method": "median"}, "priority": 9,
    "inputs": [{"name": "x", "datatype": "FP32", "shape": [1], "data": [1]}]})"));
}

TEST_CASE("several models are comparative, and steps are chained, unless a pattern is given") {
  submission several;
  several.models = {"a", "b"};
  CHECK(body(several) == R"({"models":["a","b"],"pattern":"comparative"})");
  submission steps;
  steps.steps = {"a", "b:1"};
  CHECK(body(steps) == R"({"steps":[{"model":"a"},{"model":"b:1"}],"pattern":"chained"})");
  submission one;
  one.pattern = "comparative";
  one.models = {"a"};
  CHECK(body(one) == R"({"pattern":"comparative","models":["a"]})");
}

TEST_CASE("a file is sent as it is, and flags replace its members") {
  dim::tests::temporary_folder folder;
  const std::string path = folder / "job.json";
  const auto text = R"({"model": "m",  "aggregate": {"method": "mean", "trim": 0.1}, "x": [})";
  std::ofstream{path} << text;
  submission wish;
  wish.file = path;
  CHECK(body(wish) == text);
  wish.file = "-";
  CHECK(body(wish, "anything") == "anything");
  wish.name = "n";
  wish.aggregate = "trimmed_mean";
  CHECK(body(wish, R"({"model": "m", "aggregate": {"method": "mean", "trim": 0.1}})")
        == R"({"model":"m","aggregate":{"method":"trimmed_mean","trim":0.1},"name":"n"})");
  CHECK(body(wish, "[]").starts_with("refused: "));
  CHECK(body(wish, "{").starts_with("refused: "));
}

TEST_CASE("a file that can not be read, and nothing at all, are refused") {
  submission wish;
  CHECK(body(wish).starts_with("refused: nothing to submit"));
  wish.file = "/nowhere/job.json";
  CHECK(body(wish) == "refused: can not read /nowhere/job.json");
  wish.file = "/tmp";
  CHECK(body(wish) == "refused: can not read /tmp");
}
