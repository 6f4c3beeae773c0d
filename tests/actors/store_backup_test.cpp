// Backups: made while others write, checked, and made a data folder again.
#include <fstream>
#include <iterator>

#include <sys/stat.h>

#include <doctest/doctest.h>

#include "actors/store/backup.hpp"
#include "actors/store/backup_check.hpp"
#include "actors/store/backup_copy.hpp"
#include "tests/actors/store_support.hpp"

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

namespace fs = std::filesystem;

std::string read_file(const fs::path& path) {
  std::ifstream input(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(input), {}};
}

void write_file(const fs::path& path, const std::string& content) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

/// A store with a job whose input is a blob, a blob that nothing names, and a model.
struct backup_fixture : tests::store_fixture {
  job_record job;
  backup_progress progress;

  backup_fixture() {
    start();
    job = make_job(100'000);
    submit(job);
    submit(make_job());
    REQUIRE(blobs->write(runtime::sha256_hex("orphan"), "orphan", runtime::wall_ms(sys())));
    write_file(models() / "digits" / "config.toml", "max_batch_size = 8\n");
    write_file(models() / "digits" / "1" / "model.pt", "a program");
    write_file(models() / ".staging" / "upload" / "model.pt", "half a prog");
  }

  fs::path models() const {
    return folder / "models";
  }

  runtime::expected<backup_manifest> make(const fs::path& to) {
    return make_backup({"test", *database, *blobs, models()}, to, 77, progress);
  }

  fs::path made() {
    auto to = folder / "backup";
    auto manifest = make(to);
    REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().message));
    return to;
  }

  /// The blob of the job's input, in the backup.
  static fs::path blob_in(const fs::path& backup) {
    for (auto& each : fs::recursive_directory_iterator{backup / "blobs"})
      if (each.is_regular_file())
        return each.path();
    return {};
  }
};

}  // namespace

TEST_CASE("a backup holds the database, the blobs that it names, and the models, and is whole") {
  backup_fixture f;
  auto backup = f.made();
  auto manifest = verify_backup(backup);
  REQUIRE_MESSAGE(manifest, (manifest ? "" : manifest.error().message));
  CHECK(manifest->cluster == "test");
  CHECK(manifest->jobs == 2);
  CHECK(manifest->schema == schema_version);
  CHECK(manifest->made_at == 77);
  std::vector<std::string> paths;
  for (auto& file : manifest->files)
    paths.push_back(file.path);
  REQUIRE(paths.size() == 4);
  CHECK(paths[0] == "store/data.mdb");
  CHECK(paths[1].starts_with("blobs/"));
  CHECK(paths[2] == "models/digits/1/model.pt");
  CHECK(paths[3] == "models/digits/config.toml");
  CHECK(f.progress.files == 4);
  // Reading the copy leaves nothing beside it.
  CHECK(std::distance(fs::directory_iterator{backup / "store"}, {}) == 1);
}

TEST_CASE("blobs become hard links, which the live store's removal does not touch") {
  backup_fixture f;
  auto backup = f.made();
  auto blob = backup_fixture::blob_in(backup);
  struct stat facts;
  REQUIRE(::stat(blob.c_str(), &facts) == 0);
  CHECK(facts.st_nlink == 2);
  REQUIRE(f.blobs->remove(blob.filename().string()));
  CHECK(verify_backup(backup).has_value());
}

TEST_CASE("a restored folder has every job, with its inputs, and goes on numbering events") {
  backup_fixture f;
  auto backup = f.made();
  // What comes after the backup is not in it.
  f.submit(f.make_job());
  auto data = f.folder / "restored";
  auto restored = restore_backup(backup, data);
  REQUIRE_MESSAGE(restored, (restored ? "" : restored.error().message));
  auto database = open_database(data / "store", tests::store_fixture::small_map());
  REQUIRE(database);
  auto snapshot = (*database)->read();
  CHECK(snapshot->count(tables::jobs) == 2);
  auto blobs = blobs_named_in(*snapshot);
  REQUIRE(blobs);
  REQUIRE(blobs->size() == 1);
  auto store = runtime::blob_store::open(data / "blobs", false);
  CHECK(store->read_chunk(blobs->begin()->first, 0, 200'000)->data.size() == 100'000);
  CHECK(read_file(data / "models" / "digits" / "1" / "model.pt") == "a program");
  CHECK(number_in_key(*snapshot->get(tables::meta, last_event_key).value()) == 2);
  CHECK(next_generation(**database).value() == restored->generation + 1);
}

TEST_CASE("a backup never goes into a folder with something in it, nor a restore over data") {
  backup_fixture f;
  auto backup = f.made();
  CHECK(f.make(backup).error().code == error_code::bad_input);
  CHECK(f.make("relative/path").error().code == error_code::bad_input);
  CHECK(verify_backup(backup).has_value());
  auto full = f.folder / "full";
  write_file(full / "something", "x");
  CHECK(restore_backup(backup, full).error().code == error_code::conflict);
  CHECK(std::distance(fs::directory_iterator{full}, {}) == 1);
}

TEST_CASE("every kind of damage to a backup is found and named, and nothing of it is restored") {
  backup_fixture f;
  auto backup = f.made();
  auto blob = backup_fixture::blob_in(backup);
  const fs::path files[] = {blob, backup / "store/data.mdb", backup / "models/digits/1/model.pt",
                            backup / manifest_name};
  for (auto& file : files) {
    CAPTURE(file.string());
    auto content = read_file(file);
    auto flipped = content;
    flipped[flipped.size() / 2] ^= 1;
    // Another file, not the one that the live store has a link to.
    fs::remove(file);
    for (auto& damaged : {flipped, content.substr(0, content.size() / 2)}) {
      write_file(file, damaged);
      auto outcome = verify_backup(backup);
      REQUIRE_FALSE(outcome.has_value());
      CHECK(outcome.error().code == error_code::corrupt);
      if (file.filename() != manifest_name) {
        REQUIRE(outcome.error().details.size() == 1);
        CHECK(outcome.error().details[0].starts_with(
          file.lexically_relative(backup).generic_string()));
      }
      CHECK_FALSE(restore_backup(backup, f.folder / "restored").has_value());
      CHECK_FALSE(fs::exists(f.folder / "restored" / "store"));
    }
    fs::remove(file);
    auto missing = verify_backup(backup);
    REQUIRE_FALSE(missing.has_value());
    auto is_manifest = file.filename() == manifest_name;
    CHECK(missing.error().code == (is_manifest ? error_code::not_found : error_code::corrupt));
    write_file(file, content);
    CHECK(verify_backup(backup).has_value());
  }
}

TEST_CASE("a manifest that leaves out a blob is found by reading the database") {
  backup_fixture f;
  auto backup = f.made();
  auto manifest = verify_backup(backup).value();
  std::erase_if(manifest.files, [](auto& file) { return file.path.starts_with("blobs/"); });
  write_file(backup / manifest_name, to_text(manifest));
  auto outcome = verify_backup(backup);
  REQUIRE_FALSE(outcome.has_value());
  REQUIRE(outcome.error().details.size() == 1);
  CHECK(outcome.error().details[0].find("is missing") != std::string::npos);
}

TEST_CASE("a manifest reads back equal, and none that leads out of its folder is read") {
  backup_manifest manifest{"a name", 1, 2, 3, 4, 5, {}};
  manifest.files = {{"models/with space/1/model.pt", std::string(64, 'a'), 9}};
  CHECK(manifest_from_text(to_text(manifest)) == manifest);
  for (auto* path : {"/etc/passwd", "../x", "a/../../x", "a//b", "", "."}) {
    manifest.files[0].path = path;
    CHECK_MESSAGE(!manifest_from_text(to_text(manifest)).has_value(), path);
  }
  auto newer = to_text(manifest);
  newer.replace(newer.find('1'), 1, "2");
  CHECK(manifest_from_text(newer).error().code == error_code::unsupported);
}

TEST_CASE("a blob that the database names and the disk has lost fails the backup, and is named") {
  backup_fixture f;
  auto named = blobs_named_in(*f.database->read()).value();
  REQUIRE(f.blobs->remove(named.begin()->first));
  auto to = f.folder / "backup";
  auto outcome = f.make(to);
  REQUIRE_FALSE(outcome.has_value());
  CHECK(outcome.error().code == error_code::corrupt);
  CHECK(outcome.error().message.find(named.begin()->first) != std::string::npos);
  CHECK(fs::is_empty(to));
}

TEST_CASE("a backup that is cancelled leaves nothing, and keeps no blob from being collected") {
  backup_fixture f;
  f.progress.is_cancelled = true;
  CHECK(f.make(f.folder / "backup").error().code == error_code::cancelled);
  auto nothing = [](const std::string&) { return false; };
  auto later = runtime::wall_ms(f.sys()) + 1'000'000;
  auto guard = f.blobs->keep_all();
  CHECK(f.blobs->collect_unreferenced(nothing, later) == 0);
  guard.reset();
  CHECK(f.blobs->collect_unreferenced(nothing, later) == 2);
}

TEST_CASE("BACKUP makes one backup at a time, and tells how the last one went") {
  backup_fixture f;
  auto actor = f.sys().spawn(backup, backup_arguments{"test", f.database, f.blobs, f.models()});
  CHECK(f.ask<backup_status>(actor, get_backup{})->state == backup_state::none);
  CHECK(f.ask<backup_status>(actor, start_backup{"relative"}).error().code
        == error_code::bad_input);
  auto to = (f.folder / "backup").string();
  auto first = f.request<backup_status>(actor, start_backup{to});
  auto second = f.request<backup_status>(actor, start_backup{to + "2"});
  f.run();
  CHECK((**first)->state == backup_state::running);
  CHECK((**second).error().code == error_code::conflict);
  auto done = f.ask<backup_status>(actor, get_backup{}).value();
  CHECK(done.state == backup_state::done);
  CHECK(done.files == 4);
  CHECK(f.count_actors("BACKUP RUN") == 0);
  f.ask<backup_status>(actor, start_backup{to});
  auto failed = f.ask<backup_status>(actor, get_backup{}).value();
  CHECK(failed.state == backup_state::failed);
  CHECK(failed.error.code == error_code::bad_input);
  CHECK(verify_backup(to).has_value());
}
