#include "models/cabinet.hpp"

#include <doctest/doctest.h>

#include "models/npy_file.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::cabinet;
using models::datatype;
using runtime::error_code;

namespace {

constexpr std::string_view manifest = R"(name = "patients"
description = "some"
[[tensors]]
name = "x"
datatype = "FP32"
shape = [2]
file = "x.npy"
[[tensors]]
name = "n"
datatype = "INT64"
shape = [1]
file = "t.csv"
columns = ["n"]
)";

std::string array_of(const std::vector<std::int64_t>& shape, const std::vector<float>& elements) {
  return models::npy_header_of(datatype::fp32, shape)
         + std::string{tests::floats("", {}, elements).data.view()};
}

void write_patients(const std::filesystem::path& folder) {
  tests::write_file(folder / "cabinet.toml", manifest);
  tests::write_file(folder / "x.npy", array_of({3, 2}, {0, 1, 2, 3, 4, 5}));
  tests::write_file(folder / "t.csv", "id,n\na,10\nb,20\nc,30\n");
}

std::vector<std::string> problems_at(const std::filesystem::path& folder) {
  const auto opened = cabinet::open(folder);
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().code == error_code::bad_input);
  return opened.error().details;
}

}  // namespace

TEST_CASE("a cabinet tells its name, rows and columns") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  const auto opened = cabinet::open(folder.path());
  REQUIRE(opened.has_value());
  CHECK(opened->name() == "patients");
  CHECK(opened->description() == "some");
  CHECK(opened->rows() == 3);
  CHECK(opened->column_names() == std::vector<std::string>{"x", "n"});
  CHECK(opened->columns()[1].csv_columns == std::vector<std::string>{"n"});
}

TEST_CASE("rows come in batches of every column, as tensors that a model takes") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  auto reader = cabinet::open(folder.path())->read();
  REQUIRE(reader.has_value());
  const auto first = reader->next(2);
  REQUIRE(first.has_value());
  CHECK(*first
        == models::tensor_list{tests::floats("x", {2, 2}, {0, 1, 2, 3}),
                               tests::integers("n", {2, 1}, {10, 20})});
  const auto second = reader->next(2);
  REQUIRE(second.has_value());
  CHECK(*second
        == models::tensor_list{tests::floats("x", {1, 2}, {4, 5}),
                               tests::integers("n", {1, 1}, {30})});
  CHECK(reader->next(2)->empty());
  CHECK(reader->next(2)->empty());
}

TEST_CASE("several readers of one cabinet do not disturb each other") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  const auto opened = cabinet::open(folder.path());
  const auto copy = *opened;
  auto one = opened->read();
  auto other = copy.read();
  REQUIRE(one->next(3)->size() == 2);
  CHECK(other->next(1)->front() == tests::floats("x", {1, 2}, {0, 1}));
  CHECK(one->next(3)->empty());
}

TEST_CASE("scalars and matrices can be rows") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "cabinet.toml", R"(name = "c"
[[tensors]]
name = "scalar"
datatype = "FP32"
shape = []
file = "s.npy"
[[tensors]]
name = "matrix"
datatype = "FP32"
shape = [1, 2]
file = "m.csv"
)");
  tests::write_file(folder / "s.npy", array_of({2}, {7, 8}));
  tests::write_file(folder / "m.csv", "a,b\n1,2\n3,4\n");
  auto reader = cabinet::open(folder.path())->read();
  REQUIRE(reader.has_value());
  CHECK(*reader->next(10)
        == models::tensor_list{tests::floats("scalar", {2}, {7, 8}),
                               tests::floats("matrix", {2, 1, 2}, {1, 2, 3, 4})});
}

TEST_CASE("every problem of a manifest is named at once") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "cabinet.toml", R"(name = "a/b"
[[tensors]]
name = "x"
datatype = "BYTES"
shape = [0]
file = "../secret.csv"
[[tensors]]
name = "x"
datatype = "FP32"
file = "x.npy"
columns = ["a"]
[[tensors]]
name = "y"
datatype = "FP32"
shape = [1000000000]
file = "y.txt"
colour = "red"
)");
  const auto problems = problems_at(folder.path());
  CHECK(tests::any_contains(problems, "line 1: name: expected"));
  CHECK(tests::any_contains(problems, "line 4: tensors[0].datatype: \"BYTES\""));
  CHECK(tests::any_contains(problems, "line 5: tensors[0].shape: expected sizes of 1 or more"));
  CHECK(tests::any_contains(problems, "line 6: tensors[0].file: expected the name of a file in"));
  CHECK(tests::any_contains(problems, "tensors[1].shape: is missing"));
  CHECK(tests::any_contains(problems, "line 8: tensors[1].name: \"x\" is declared twice"));
  CHECK(tests::any_contains(problems, "line 11: tensors[1].columns: is for CSV files only"));
  CHECK(tests::any_contains(problems, "line 15: tensors[2].shape: a row is larger than 64 MiB"));
  CHECK(tests::any_contains(problems, "line 16: tensors[2].file: expected a .npy or .csv file"));
  CHECK(tests::any_contains(problems, "line 17: tensors[2].colour: is not known here"));
  CHECK(problems.size() == 10);
}

TEST_CASE("files that do not fit the manifest are all named in words") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  tests::write_file(folder / "x.npy", array_of({2, 3}, {0, 1, 2, 3, 4, 5}));
  tests::write_file(folder / "t.csv", "id,n\na,10\nb,20,1\n");
  const auto problems = problems_at(folder.path());
  CHECK(problems
        == std::vector<std::string>{
          "x: x.npy has the shape [2, 3], which is not rows of [2]",
          "n: t.csv line 3: expected 2 fields as in the header, got 3"});
  write_patients(folder.path());
  tests::write_file(folder / "x.npy", models::npy_header_of(datatype::fp64, {1, 2})
                                        + std::string(16, '\0'));
  tests::write_file(folder / "t.csv", "id,m\na,10\n");
  const auto others = problems_at(folder.path());
  CHECK(tests::any_contains(others, "x: x.npy holds FP64, not FP32"));
  CHECK(tests::any_contains(others, "n: t.csv line 1: the header has no column \"n\""));
}

TEST_CASE("columns with different numbers of rows are refused") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  tests::write_file(folder / "t.csv", "n\n1\n2\n");
  CHECK(problems_at(folder.path())
        == std::vector<std::string>{"n: t.csv has 2 rows, but x has 3"});
}

TEST_CASE("a CSV with another number of values than the row's shape is refused") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  tests::write_file(folder / "cabinet.toml",
                    "name='c'\n[[tensors]]\nname='n'\ndatatype='INT64'\nshape=[3]\n"
                    "file='t.csv'\ncolumns=['n']\n");
  CHECK(tests::any_contains(problems_at(folder.path()),
                            "n: t.csv gives 1 values a row, but a row has the shape [3]"));
}

TEST_CASE("a folder without a manifest is no cabinet") {
  const tests::temporary_folder folder;
  CHECK(cabinet::open(folder.path()).error().code == error_code::not_found);
}

TEST_CASE("a file that changes after the cabinet was opened is noticed") {
  const tests::temporary_folder folder;
  write_patients(folder.path());
  const auto opened = cabinet::open(folder.path());
  tests::write_file(folder / "t.csv", "n\n1\n");
  auto reader = opened->read();
  REQUIRE(reader.has_value());
  CHECK(reader->next(3).error().message
        == "n: t.csv has changed: its rows end elsewhere than those before it");
  std::filesystem::remove(folder / "x.npy");
  CHECK(opened->read().error().code == error_code::bad_input);
}

TEST_CASE("the cabinets of a folder are listed by name, the broken ones as problems") {
  const tests::temporary_folder folder;
  write_patients(folder / "b");
  write_patients(folder / "c");
  write_patients(folder / "broken");
  std::filesystem::remove(folder / "broken/x.npy");
  tests::write_file(folder / "a/cabinet.toml",
                    "name='zoo'\n[[tensors]]\nname='n'\ndatatype='INT64'\nshape=[]\n"
                    "file='t.csv'\n");
  tests::write_file(folder / "a/t.csv", "n\n1\n");
  std::filesystem::create_directories(folder / "other");
  const auto listing = models::list_cabinets(folder.path());
  REQUIRE(listing.cabinets.size() == 2);
  CHECK(listing.cabinets[0].name() == "patients");
  CHECK(listing.cabinets[1].name() == "zoo");
  CHECK(tests::any_contains(listing.problems, "broken: x: x.npy can not be opened"));
  CHECK(tests::any_contains(listing.problems, "c: another folder has a cabinet named"));
  CHECK(models::list_cabinets(folder / "nowhere").cabinets.empty());
}
