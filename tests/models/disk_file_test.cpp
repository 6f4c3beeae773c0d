#include "models/disk_file.hpp"

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
namespace fs = std::filesystem;

TEST_CASE("a staged file appears at its place only when it is published") {
  const tests::temporary_folder folder;
  auto file = models::staged_file::create(folder / "part");
  REQUIRE(file.has_value());
  CHECK(file->append("hello ").has_value());
  CHECK(file->append("world").has_value());
  CHECK(file->size() == 11);
  CHECK(file->seal().value() == runtime::sha256_hex("hello world"));
  CHECK_FALSE(fs::exists(folder / "whole"));
  CHECK(file->publish(folder / "whole").has_value());
  CHECK(models::read_text(folder / "whole", 100).value() == "hello world");
  CHECK_FALSE(fs::exists(folder / "part"));
}

TEST_CASE("a staged file that is given up leaves nothing behind") {
  const tests::temporary_folder folder;
  {
    auto file = models::staged_file::create(folder / "part");
    REQUIRE(file.has_value());
    CHECK(file->append("half").has_value());
    const auto moved = std::move(*file);
    CHECK(fs::exists(folder / "part"));
  }
  CHECK(fs::is_empty(folder.path()));
}

TEST_CASE("a staged file takes the place of none that is there") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "part", "old");
  CHECK(models::staged_file::create(folder / "part").error().code
        == runtime::error_code::internal);
  CHECK(models::staged_file::create(folder / "nowhere/part").error().code
        == runtime::error_code::not_found);
}

TEST_CASE("writing a text replaces the old one as a whole") {
  const tests::temporary_folder folder;
  CHECK(models::write_atomically(folder / "text", "one, and longer").has_value());
  CHECK(models::write_atomically(folder / "text", "two").has_value());
  CHECK(models::read_text(folder / "text", 100).value() == "two");
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 1);
}

TEST_CASE("a temporary that a crash has left does not stop the next write") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "text.new", "half");
  CHECK(models::write_atomically(folder / "text", "whole").has_value());
  CHECK(models::read_text(folder / "text", 100).value() == "whole");
}

TEST_CASE("blocks are read from anywhere, and end with the file") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "f", "0123456789");
  CHECK(models::read_block(folder / "f", 2, 3)->view() == "234");
  CHECK(models::read_block(folder / "f", 8, 100)->view() == "89");
  CHECK(models::read_block(folder / "f", 10, 5)->empty());
  CHECK(models::read_block(folder / "f", 1'000'000, 5)->empty());
  CHECK(models::read_block(folder / "none", 0, 5).error().code
        == runtime::error_code::not_found);
  CHECK(models::read_text(folder / "f", 9).error().code == runtime::error_code::too_large);
  CHECK(models::read_text(folder / "f", 10).has_value());
}

TEST_CASE("the digest of a file is that of its bytes") {
  const tests::temporary_folder folder;
  const std::string text(3'000'000, 'z');
  tests::write_file(folder / "f", text);
  CHECK(models::digest_of_file(folder / "f").value() == runtime::sha256_hex(text));
  CHECK(models::written_ns_of(folder / "f") > 0);
  CHECK(models::written_ns_of(folder / "none") == 0);
}

TEST_CASE("a staged file that is kept is opened again, and hashed with what it had before") {
  const tests::temporary_folder folder;
  std::string content(40'000'000, '\0');
  for (std::size_t i = 0; i < content.size(); ++i)
    content[i] = static_cast<char>(i * 7 + i / 251);
  const auto text = std::string_view{content};
  constexpr std::size_t half = 35'000'000;
  {
    auto file = models::staged_file::create(folder / "part");
    REQUIRE(file.has_value());
    file->keep();
    REQUIRE(file->append(text.substr(0, half)).has_value());
    CHECK(file->flush().has_value());
  }
  auto file = models::staged_file::reopen(folder / "part");
  REQUIRE(file.has_value());
  CHECK(file->size() == half);
  // The first piece lets the hash follow, the second is sealed before it is level.
  REQUIRE(file->append(text.substr(half, 1'000)).has_value());
  REQUIRE(file->append(text.substr(half + 1'000)).has_value());
  CHECK(file->seal().value() == runtime::sha256_hex(content));
  CHECK(file->publish(folder / "whole").has_value());
  CHECK(fs::file_size(folder / "whole") == content.size());
  CHECK(models::staged_file::reopen(folder / "part").error().code
        == runtime::error_code::not_found);
}
