#include "models/npy_file.hpp"

#include <doctest/doctest.h>

#include "runtime/random_source.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::datatype;
using runtime::error_code;

namespace {

/// A header of format `major`.0 with this dictionary.
std::string header_with(const std::string& dictionary, char major = 1) {
  std::string text = "\x93NUMPY";
  text += major;
  text += '\0';
  for (int shift = 0; shift < (major == 1 ? 16 : 32); shift += 8)
    text += static_cast<char>((dictionary.size() >> shift) & 0xff);
  return text + dictionary;
}

error_code code_of(const std::string& dictionary) {
  return models::parse_npy_header(header_with(dictionary)).error().code;
}

std::string bytes_of(const std::vector<float>& elements) {
  return std::string{tests::floats("", {}, elements).data.view()};
}

}  // namespace

TEST_CASE("headers of all three format versions are read") {
  const std::string dictionary = "{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }  \n";
  for (const char major : {1, 2, 3}) {
    const std::string text = header_with(dictionary, major);
    const auto header = models::parse_npy_header(text + "data");
    REQUIRE(header.has_value());
    CHECK(header->type == datatype::fp32);
    CHECK(header->shape == std::vector<std::int64_t>{3, 4});
    CHECK(header->data_offset == text.size());
  }
  CHECK(models::parse_npy_header(header_with(dictionary, 4)).error().code
        == error_code::unsupported);
}

TEST_CASE("headers are read whatever their order, quotes and blanks") {
  const auto shape_of = [](const std::string& shape) {
    const auto header = models::parse_npy_header(
      header_with("{\"shape\" : " + shape + ", \"fortran_order\": False, \"descr\": \"|b1\"}"));
    REQUIRE(header.has_value());
    CHECK(header->type == datatype::boolean);
    return header->shape;
  };
  CHECK(shape_of("()").empty());
  CHECK(shape_of("(5,)") == std::vector<std::int64_t>{5});
  CHECK(shape_of("( 5 , 6 )") == std::vector<std::int64_t>{5, 6});
}

TEST_CASE("what can not be read is refused in words") {
  CHECK(models::parse_npy_header("PK\x03\x04....").error().message == "this is no .npy file");
  CHECK_FALSE(models::parse_npy_header("").has_value());
  CHECK_FALSE(models::parse_npy_header("\x93NUMPY\x01").has_value());
  const std::string good = header_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3,)}");
  for (std::size_t size = 0; size < good.size(); ++size)
    CHECK_FALSE(models::parse_npy_header(good.substr(0, size)).has_value());
  CHECK(code_of("{'descr': '>f4', 'fortran_order': False, 'shape': (3,)}")
        == error_code::unsupported);
  CHECK(code_of("{'descr': '<f4', 'fortran_order': True, 'shape': (3, 2)}")
        == error_code::unsupported);
  CHECK(code_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (3,)}")
        == error_code::unsupported);
  CHECK(code_of("{'descr': '<f4', 'fortran_order': False, 'shape': (-3,)}")
        == error_code::bad_input);
  CHECK(code_of("{'descr': '<f4', 'fortran_order': False, 'shape': (3") == error_code::bad_input);
  CHECK(code_of("{'descr': '<f4', 'fortran_order': Maybe, 'shape': (3,)}")
        == error_code::bad_input);
  CHECK(code_of("{'descr': '<f4', 'shape': (3,)}") == error_code::bad_input);
}

TEST_CASE("a written header reads back equal and ends at a multiple of 64") {
  for (const auto& shape : std::vector<std::vector<std::int64_t>>{
         {}, {1}, {100'000, 8}, {2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13}}) {
    const std::string text = models::npy_header_of(datatype::int64, shape);
    const auto header = models::parse_npy_header(text);
    REQUIRE(header.has_value());
    CHECK(header->type == datatype::int64);
    CHECK(header->shape == shape);
    CHECK(header->data_offset == text.size());
    CHECK(text.size() % 64 == 0);
    CHECK(text.back() == '\n');
  }
  CHECK(models::npy_header_of(datatype::bytes, {1}).empty());
  CHECK(models::npy_header_of(datatype::bf16, {1}).empty());
}

TEST_CASE("rows are read in batches to the end") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "a.npy", models::npy_header_of(datatype::fp32, {5, 2})
                                        + bytes_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  auto reader = models::npy_reader::open(folder / "a.npy");
  REQUIRE(reader.has_value());
  CHECK(reader->rows() == 5);
  CHECK(reader->row_bytes() == 8);
  std::vector<char> data;
  CHECK(reader->read_rows(2, data).value() == 2);
  CHECK(reader->read_rows(2, data).value() == 2);
  CHECK(reader->read_rows(2, data).value() == 1);
  CHECK(reader->read_rows(2, data).value() == 0);
  CHECK(std::string(data.begin(), data.end()) == bytes_of({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_CASE("a file that is longer or shorter than its header says is refused") {
  const tests::temporary_folder folder;
  const std::string header = models::npy_header_of(datatype::fp32, {2, 2});
  for (const std::size_t size : {0, 8, 15, 17, 24}) {
    CAPTURE(size);
    tests::write_file(folder / "a.npy", header + std::string(size, 'x'));
    CHECK(models::npy_reader::open(folder / "a.npy").error().code == error_code::bad_input);
  }
  tests::write_file(folder / "a.npy", header + std::string(16, 'x'));
  CHECK(models::npy_reader::open(folder / "a.npy").has_value());
  CHECK(models::npy_reader::open(folder / "none.npy").error().code == error_code::not_found);
}

TEST_CASE("a header that promises more rows than exist is refused without reserving memory") {
  const tests::temporary_folder folder;
  for (const std::string shape :
       {"(4611686018427387904,)", "(2, 4611686018427387904)", "(4611686018427387904, 4)",
        "(9223372036854775807, 9223372036854775807)", "(99999999999999999999,)"}) {
    CAPTURE(shape);
    tests::write_file(
      folder / "a.npy",
      header_with("{'descr': '<f8', 'fortran_order': False, 'shape': " + shape + "}"));
    CHECK_FALSE(models::npy_reader::open(folder / "a.npy").has_value());
  }
}

TEST_CASE("a file that shrinks while it is read is noticed") {
  const tests::temporary_folder folder;
  const std::string header = models::npy_header_of(datatype::fp32, {100'000, 2});
  tests::write_file(folder / "a.npy", header + std::string(800'000, 'x'));
  auto reader = models::npy_reader::open(folder / "a.npy");
  REQUIRE(reader.has_value());
  std::vector<char> data;
  REQUIRE(reader->read_rows(10, data).has_value());
  std::filesystem::resize_file(folder / "a.npy", header.size() + 400'000);
  CHECK(reader->read_rows(99'990, data).error().code == error_code::bad_input);
}

TEST_CASE("no header, however mangled, crashes the reader") {
  const std::string good =
    header_with("{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }");
  std::size_t refused = 0;
  for (std::uint64_t seed = 1; seed <= 2000; ++seed) {
    CAPTURE(seed);
    runtime::random_source random(seed);
    std::string text = good;
    for (int change = 0; change < 4; ++change)
      text[10 + random.below(text.size() - 10)] = static_cast<char>(random.below(256));
    refused += models::parse_npy_header(text).has_value() ? 0 : 1;
  }
  CHECK(refused > 1000);
}
