#include <doctest/doctest.h>

#include <fstream>
#include <string>
#include <vector>

#include "actors/router/record_ring.hpp"
#include "actors/router/record_writer.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim::actors;
using namespace dim::tests;

namespace {

inference_record record_of(std::string id) {
  inference_record record;
  record.request_id = std::move(id);
  record.model = "m";
  record.version = "1";
  return record;
}

std::vector<std::string> lines_of(const std::filesystem::path& file) {
  std::ifstream in{file};
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    lines.push_back(line);
  return lines;
}

}  // namespace

TEST_CASE("a ring keeps the newest, and gives each to be written once") {
  record_ring ring{2, true};
  for (auto id : {"a", "b", "c"})
    ring.add(record_of(id));
  CHECK(ring.size() == 2);
  auto newest = ring.newest({"", 10}).records;
  REQUIRE(newest.size() == 2);
  CHECK(newest[0].request_id == "c");
  CHECK(ring.unwritten() == 2);
  auto news = ring.take_unwritten();
  REQUIRE(news.size() == 2);
  CHECK(news[0].request_id == "b");
  CHECK(ring.unwritten() == 0);
  CHECK(ring.newest({"other", 10}).records.empty());
}

TEST_CASE("a ring whose records are not written has nothing to be written") {
  record_ring ring{2, false};
  ring.add(record_of("a"));
  CHECK(ring.unwritten() == 0);
  CHECK(ring.size() == 1);
}

TEST_CASE("records are lines of JSON, whatever a client calls its request") {
  actor_fixture f;
  temporary_folder folder;
  auto file = folder.path() / "records.jsonl";
  auto writer = f.sys().spawn(record_writer, record_writer_arguments{file, 1 << 20});
  f.send(writer, write_records{{record_of("a\"b\n")}});
  auto lines = lines_of(file);
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].find(R"("id":"a\"b\n","model":"m","version":"1")") != std::string::npos);
}

TEST_CASE("a file that is large enough is put aside") {
  actor_fixture f;
  temporary_folder folder;
  auto file = folder.path() / "records.jsonl";
  auto writer = f.sys().spawn(record_writer, record_writer_arguments{file, 10});
  f.send(writer, write_records{{record_of("first")}});
  f.send(writer, write_records{{record_of("second")}});
  CHECK(lines_of(file).size() == 1);
  auto aside = lines_of(folder.path() / "records.jsonl.1");
  REQUIRE(aside.size() == 1);
  CHECK(aside[0].find("first") != std::string::npos);
}

TEST_CASE("a file that can not be written is tried again with the next records") {
  actor_fixture f;
  temporary_folder folder;
  auto file = folder.path() / "not there" / "records.jsonl";
  auto writer = f.sys().spawn(record_writer, record_writer_arguments{file, 1 << 20});
  f.send(writer, write_records{{record_of("lost")}});
  std::filesystem::create_directory(file.parent_path());
  f.send(writer, write_records{{record_of("kept")}});
  CHECK(lines_of(file).size() == 1);
}
