#include "models/csv_file.hpp"

#include <cmath>

#include <doctest/doctest.h>

#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::csv_reader;
using models::datatype;
using runtime::error_code;

namespace {

/// A table in a file of its own.
struct table {
  explicit table(std::string_view text) {
    tests::write_file(folder / "t.csv", text);
  }
  std::filesystem::path path() const {
    return folder / "t.csv";
  }
  template <class Element>
  std::vector<Element> read(const std::vector<std::string>& columns, datatype type) const {
    auto reader = csv_reader::open(path(), columns, type);
    REQUIRE_MESSAGE(reader.has_value(), (reader ? "" : reader.error().message));
    std::vector<char> data;
    const auto rows = reader->read_rows(1'000'000, data);
    REQUIRE_MESSAGE(rows.has_value(), (rows ? "" : rows.error().message));
    CHECK(data.size() == *rows * reader->width() * sizeof(Element));
    std::vector<Element> elements(data.size() / sizeof(Element));
    if (!elements.empty())
      std::memcpy(elements.data(), data.data(), data.size());
    return elements;
  }
  std::vector<float> floats(const std::vector<std::string>& columns = {}) const {
    return read<float>(columns, datatype::fp32);
  }
  /// What reading all of it, as FP32 or `type`, ends with.
  std::string problem(const std::vector<std::string>& columns = {},
                      datatype type = datatype::fp32) const {
    auto reader = csv_reader::open(path(), columns, type);
    if (!reader)
      return reader.error().message;
    std::vector<char> data;
    const auto rows = reader->read_rows(1'000'000, data);
    REQUIRE_FALSE(rows.has_value());
    CHECK(rows.error().code == error_code::bad_input);
    return rows.error().message;
  }
  tests::temporary_folder folder;
};

}  // namespace

TEST_CASE("chosen columns are read in the chosen order") {
  const table t{"a,b,c\n1,2,3\n4,5,6\n"};
  CHECK(t.floats() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(t.floats({"c", "a"}) == std::vector<float>{3, 1, 6, 4});
}

TEST_CASE("quotes, blanks, line ends and a byte order mark are understood") {
  const table t{"\xef\xbb\xbf\"a\" , \"b, with \"\"quotes\"\"\"\r\n 1.5 ,\"2\"\r\n\r\n\n-3e2,+4"};
  CHECK(t.floats({"a"}) == std::vector<float>{1.5F, -300});
  CHECK(t.floats({"b, with \"quotes\""}) == std::vector<float>{2, 4});
}

TEST_CASE("every number is read as the datatype it is declared to be") {
  CHECK(table{"a\n-128\n127\n"}.read<std::int8_t>({}, datatype::int8)
        == std::vector<std::int8_t>{-128, 127});
  CHECK(table{"a\n18446744073709551615\n"}.read<std::uint64_t>({}, datatype::uint64)
        == std::vector<std::uint64_t>{18446744073709551615U});
  CHECK(table{"a\n1\n0\ntrue\nfalse\n"}.read<std::uint8_t>({}, datatype::boolean)
        == std::vector<std::uint8_t>{1, 0, 1, 0});
  CHECK(table{"a\n0.1\n1e308\n"}.read<double>({}, datatype::fp64)
        == std::vector<double>{0.1, 1e308});
  CHECK(table{"a\n1e-300\n"}.floats() == std::vector<float>{0});
  const auto odd = table{"a\nnan\n-inf\n"}.floats();
  CHECK(std::isnan(odd[0]));
  CHECK(odd[1] == -INFINITY);
}

TEST_CASE("what is no number of the datatype is named with line and column") {
  CHECK(table{"a,b\n1,2\n3,x\n"}.problem()
        == "t.csv line 3: \"x\" in column \"b\" is no FP32 number");
  CHECK(table{"a\n\"\"\n"}.problem() == "t.csv line 2: \"\" in column \"a\" is no FP32 number");
  CHECK(table{"a\n1.5\n"}.problem({}, datatype::int32)
        == "t.csv line 2: \"1.5\" in column \"a\" is no INT32 number");
  CHECK(table{"a\n1\n128\n"}.problem({}, datatype::int8)
        == "t.csv line 3: \"128\" in column \"a\" is no INT8 number");
  CHECK(table{"a\n-1\n"}.problem({}, datatype::uint8).find("line 2") != std::string::npos);
  CHECK(table{"a\n2\n"}.problem({}, datatype::boolean).find("BOOL") != std::string::npos);
  CHECK(table{"a\n1e39\n"}.problem().find("\"1e39\"") != std::string::npos);
  CHECK(table{"a\n0x10\n"}.problem().find("\"0x10\"") != std::string::npos);
  CHECK(table{"a\n1 2\n"}.problem().find("\"1 2\"") != std::string::npos);
}

TEST_CASE("lines are counted through blank lines and through line ends in quotes") {
  CHECK(table{"a,b\n\n\"1\",\"x\ny\"\n2,3\n4\n"}.problem({"a"})
        == "t.csv line 6: expected 2 fields as in the header, got 1");
  CHECK(table{"a\r\n1\r\n\r\n2,3\r\n"}.problem()
        == "t.csv line 4: expected 1 fields as in the header, got 2");
}

TEST_CASE("a header without the wanted column, or with it twice, is refused") {
  CHECK(table{"a,b\n1,2\n"}.problem({"c"}) == "t.csv line 1: the header has no column \"c\"");
  CHECK(table{"a,b,a\n1,2,3\n"}.problem({"a"})
        == "t.csv line 1: the header names the column \"a\" twice");
  CHECK(table{"a,b,a\n1,2,3\n"}.floats({"b"}) == std::vector<float>{2});
  CHECK(table{""}.problem() == "t.csv line 1: the file has no header line");
  CHECK(table{"\n\n"}.problem().find("no header") != std::string::npos);
  CHECK(csv_reader::open("/nowhere/t.csv", {}, datatype::fp32).error().code
        == error_code::not_found);
  CHECK(csv_reader::open("/nowhere/t.csv", {}, datatype::fp16).error().code
        == error_code::unsupported);
}

TEST_CASE("a broken quote is refused") {
  CHECK(table{"a\n\"1\n"}.problem().find("a quote is not closed") != std::string::npos);
  CHECK(table{"a\n1\"2\n"}.problem().find("a quote is not closed") != std::string::npos);
}

TEST_CASE("a field without end does not fill the memory") {
  const table t{"a\n\"" + std::string(3 << 20, '1')};
  CHECK(t.problem().find("larger than 1 MiB") != std::string::npos);
}

TEST_CASE("a table without rows is read as none") {
  CHECK(table{"a,b\n"}.floats().empty());
  CHECK(table{"a,b"}.floats().empty());
}

TEST_CASE("batches of any size give the rows of the whole") {
  std::string text = "id,value\n";
  std::vector<float> expected;
  for (int row = 0; row < 20'000; ++row) {
    text += "\"row " + std::to_string(row) + "\"," + std::to_string(row * 0.5) + "\n";
    expected.push_back(static_cast<float>(row) * 0.5F);
  }
  const table t{text};
  for (const std::uint64_t batch : {1, 7, 1000, 100'000}) {
    CAPTURE(batch);
    auto reader = csv_reader::open(t.path(), {"value"}, datatype::fp32);
    REQUIRE(reader.has_value());
    std::vector<char> data;
    for (;;) {
      const auto rows = reader->read_rows(batch, data);
      REQUIRE(rows.has_value());
      CHECK_UNARY(*rows <= batch);
      if (*rows == 0)
        break;
    }
    REQUIRE(data.size() == expected.size() * sizeof(float));
    CHECK(std::memcmp(data.data(), expected.data(), data.size()) == 0);
  }
}
