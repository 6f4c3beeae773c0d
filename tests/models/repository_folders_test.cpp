#include "models/repository.hpp"

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "tests/models/open_repository.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

/// What an upload and a removal leave of a model's folder, where more lies in it than the
/// repository knows.
using namespace dim;
using models::repository;
using runtime::error_code;
using tests::open_at;
namespace fs = std::filesystem;

namespace {

models::model_spec spec_with(const std::string& description) {
  auto spec = tests::simple_spec(2, 2, 4);
  spec.name = "m";
  spec.description = description;
  return spec;
}

runtime::expected<models::repository_entry> push(repository& target, const std::string& version,
                                                 const models::model_spec& spec) {
  const std::string content = "bytes of version " + version;
  REQUIRE(target.begin_upload("u").has_value());
  REQUIRE(target.append("u", 0, content).has_value());
  REQUIRE(target.seal_upload("u", content.size(), runtime::sha256_hex(content)).has_value());
  return target.commit_upload("u", spec.name, version, spec);
}

std::string text_in(const fs::path& path) {
  return models::read_text(path, 1 << 20).value_or("");
}

}  // namespace

TEST_CASE("an upload on a folder that is not known is a conflict and changes nothing") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "1", spec_with("old")).has_value());
  const std::string config = text_in(folder / "m/config.toml");
  tests::write_file(folder / "m/2/notes.txt", "mine");
  const auto refused = push(models, "2", spec_with("new"));
  REQUIRE_FALSE(refused.has_value());
  CHECK(refused.error().code == error_code::conflict);
  CHECK(refused.error().message.find("version 2 of \"m\" has a folder already")
        != std::string::npos);
  CHECK(text_in(folder / "m/config.toml") == config);
  CHECK(text_in(folder / "m/2/notes.txt") == "mine");
  CHECK(models.find("m", "")->spec.description == "old");
  fs::create_directories(folder / "m/3");
  CHECK(push(models, "3", spec_with("new")).has_value());
  CHECK(open_at(folder.path()).find("m", "3")->spec.description == "new");
}

TEST_CASE("an upload that can not be moved to its place leaves the configuration as it was") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "1", spec_with("old")).has_value());
  const std::string config = text_in(folder / "m/config.toml");
  fs::create_symlink(folder / "nowhere", folder / "m/2");
  CHECK(push(models, "2", spec_with("new")).error().code == error_code::internal);
  CHECK(text_in(folder / "m/config.toml") == config);
  CHECK(open_at(folder.path()).find("m", "")->spec.description == "old");

  // A configuration in Triton's form is not hidden by one in ours.
  fs::rename(folder / "m/config.toml", folder / "kept.toml");
  CHECK(push(models, "2", spec_with("new")).error().code == error_code::internal);
  CHECK_FALSE(fs::exists(folder / "m/config.toml"));
  CHECK(fs::exists(folder / "m/1/model.pt"));
}

TEST_CASE("a program is no version of a model that has no file") {
  const tests::temporary_folder folder;
  auto spec = spec_with("built in");
  spec.kind = models::model_kind::identity;
  const std::string config = models::to_toml(spec);
  tests::write_file(folder / "m/config.toml", config);
  auto models = open_at(folder.path());
  for (const std::string version : {"1", "2", ""}) {
    const auto refused = push(models, version, spec_with("program"));
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == error_code::conflict);
    CHECK(refused.error().message == "the other versions of \"m\" are of a kind that has no file");
  }
  CHECK(text_in(folder / "m/config.toml") == config);
  CHECK(open_at(folder.path()).find("m", "")->spec.kind == models::model_kind::identity);
}

TEST_CASE("the last version takes no folder with it that is not its own") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "1", spec_with("old")).has_value());
  tests::write_file(folder / "m/2/model.pt", "put there by hand");
  REQUIRE(models.remove("m", "1").has_value());
  CHECK(models.list().empty());
  CHECK_FALSE(fs::exists(folder / "m/1"));
  auto again = open_at(folder.path());
  REQUIRE(again.list().size() == 1);
  CHECK(again.list().front().version == "2");
  CHECK(again.list().front().spec.description == "old");
  tests::write_file(folder / "m/notes/a.txt", "mine");
  REQUIRE(again.remove("m", "2").has_value());
  CHECK(text_in(folder / "m/notes/a.txt") == "mine");
  // The whole model is the whole folder.
  REQUIRE(push(again, "1", spec_with("new")).has_value());
  REQUIRE(again.remove("m", "").has_value());
  CHECK_FALSE(fs::exists(folder / "m"));
}

TEST_CASE("the last version of a model without files leaves what makes another version") {
  const tests::temporary_folder folder;
  auto spec = spec_with("built in");
  spec.kind = models::model_kind::identity;
  tests::write_file(folder / "m/config.toml", models::to_toml(spec));
  auto models = open_at(folder.path());
  fs::create_directories(folder / "m/2");
  REQUIRE(models.remove("m", "1").has_value());
  CHECK(models.list().empty());
  auto again = open_at(folder.path());
  REQUIRE(again.list().size() == 1);
  CHECK(again.list().front().version == "2");
  tests::write_file(folder / "m/notes/a.txt", "of the model");
  REQUIRE(again.remove("m", "2").has_value());
  CHECK_FALSE(fs::exists(folder / "m"));
}
