#include "models/repository.hpp"

#include <doctest/doctest.h>

#include "runtime/digest.hpp"
#include "tests/models/open_repository.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using models::repository;
using runtime::error_code;
using tests::open_at;
namespace fs = std::filesystem;

namespace {

models::model_spec spec_named(const std::string& name) {
  auto spec = tests::simple_spec(2, 1, 4);
  spec.name = name;
  return spec;
}

/// Uploads `content` in two blocks, and commits it.
runtime::expected<models::repository_entry> push(repository& target, const std::string& name,
                                                 const std::string& version,
                                                 const std::string& content) {
  REQUIRE(target.begin_upload("u").has_value());
  const std::size_t half = content.size() / 2;
  REQUIRE(target.append("u", 0, content.substr(0, half)).value() == half);
  REQUIRE(target.append("u", half, content.substr(half)).value() == content.size());
  REQUIRE(target.seal_upload("u", content.size(), runtime::sha256_hex(content)).has_value());
  return target.commit_upload("u", name, version, spec_named(name));
}

std::size_t count_files(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    count += entry.is_regular_file() ? 1 : 0;
  return count;
}

}  // namespace

TEST_CASE("an uploaded model is found, listed and read, also after a restart") {
  const tests::temporary_folder folder;
  const std::string content = "the bytes of a model";
  {
    auto models = open_at(folder / "repository");
    const auto entry = push(models, "digits", "", content);
    REQUIRE(entry.has_value());
    CHECK(entry->version == "1");
    CHECK(entry->digest == runtime::sha256_hex(content));
    CHECK(entry->byte_size == content.size());
    CHECK(entry->created_at > 1'600'000'000'000);
  }
  const auto models = open_at(folder / "repository");
  CHECK(models.problems().empty());
  REQUIRE(models.list().size() == 1);
  CHECK(models.list().front().spec == spec_named("digits"));
  const auto found = models.find("digits", "1");
  REQUIRE(found.has_value());
  const auto block = models.read_chunk(found->digest, 4, 5);
  REQUIRE(block.has_value());
  CHECK(block->data.view() == "bytes");
  CHECK(block->total_size == content.size());
  CHECK(models.read_chunk(found->digest, 1000, 5)->data.empty());
  CHECK(models.path_of(found->digest).value()
        == folder / "repository" / "digits" / "1" / "model.pt");
}

TEST_CASE("without a version, the highest is found, by number and not by text") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  for (const std::string version : {"2", "10", "9"})
    REQUIRE(push(models, "m", version, "bytes " + version).has_value());
  CHECK(models.find("m", "")->version == "10");
  CHECK(push(models, "m", "", "more")->version == "11");
  CHECK(models.list()[1].version == "9");
  CHECK(models.find("m", "3").error().code == error_code::model_not_found);
  CHECK(models.find("m", "02").error().code == error_code::model_not_found);
  CHECK(models.find("x", "").error().code == error_code::model_not_found);
}

TEST_CASE("the same version with the same bytes is answered as it stands, with others refused") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  const auto first = push(models, "m", "1", "bytes");
  const auto again = push(models, "m", "1", "bytes");
  REQUIRE(again.has_value());
  CHECK(again->created_at == first->created_at);
  CHECK(push(models, "m", "1", "other bytes").error().code == error_code::conflict);
  CHECK(models.list().size() == 1);
  CHECK(models.find("m", "1")->digest == runtime::sha256_hex("bytes"));
}

TEST_CASE("a version that declares other inputs than its siblings is refused") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "m", "1", "bytes").has_value());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "new").has_value());
  REQUIRE(models.seal_upload("u", 3, runtime::sha256_hex("new")).has_value());
  auto spec = spec_named("m");
  spec.inputs.front().dims = {99};
  CHECK(models.commit_upload("u", "m", "2", spec).error().code == error_code::conflict);
  CHECK(models.find("m", "")->version == "1");
}

TEST_CASE("a new version may bring a new description and labels, which all versions then have") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "m", "1", "bytes").has_value());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "new").has_value());
  REQUIRE(models.seal_upload("u", 3, runtime::sha256_hex("new")).has_value());
  auto spec = spec_named("m");
  spec.description = "better";
  spec.outputs.front().labels.assign(
    static_cast<std::size_t>(spec.outputs.front().dims.back()), "label");
  REQUIRE(models.commit_upload("u", "m", "", spec).has_value());
  CHECK(models.find("m", "1")->spec.description == "better");
  CHECK(models.find("m", "1")->spec.outputs == spec.outputs);
  CHECK(open_at(folder.path()).find("m", "2")->spec.description == "better");
}

TEST_CASE("a new model's file has the name that its config.toml says") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "bytes").has_value());
  REQUIRE(models.seal_upload("u", 5, runtime::sha256_hex("bytes")).has_value());
  auto spec = spec_named("m");
  spec.file_name = "net.pt";
  REQUIRE(models.commit_upload("u", "m", "", spec).has_value());
  REQUIRE(push(models, "m", "", "more").has_value());
  CHECK(models::read_text(folder / "m/2/net.pt", 10).value() == "more");
  CHECK(open_at(folder.path()).list().size() == 2);
}

TEST_CASE("an upload with another size or digest is refused and leaves nothing behind") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "bytes").has_value());
  CHECK(models.seal_upload("u", 6, runtime::sha256_hex("bytes")).error().code
        == error_code::bad_input);
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "bytes").has_value());
  CHECK(models.seal_upload("u", 5, runtime::sha256_hex("bites")).error().code
        == error_code::corrupt);
  CHECK(models.seal_upload("u", 5, runtime::sha256_hex("bytes")).error().code
        == error_code::not_found);
  CHECK(count_files(folder.path()) == 0);
}

TEST_CASE("a block at the wrong place ends the upload") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "bytes").has_value());
  CHECK(models.append("u", 4, "more").error().code == error_code::bad_input);
  CHECK(models.append("u", 5, "more").error().code == error_code::not_found);
  CHECK(count_files(folder.path()) == 0);
}

TEST_CASE("nothing is added to an upload that was sealed") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.begin_upload("u").has_value());
  REQUIRE(models.append("u", 0, "bytes").has_value());
  REQUIRE(models.seal_upload("u", 5, runtime::sha256_hex("bytes")).has_value());
  CHECK(models.seal_upload("u", 5, runtime::sha256_hex("bytes")).has_value());
  CHECK(models.append("u", 5, "more").error().code == error_code::bad_input);
  CHECK(count_files(folder.path()) == 0);
}

TEST_CASE("an upload that was not sealed can not be committed") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.begin_upload("u").has_value());
  CHECK(models.commit_upload("u", "m", "", spec_named("m")).error().code == error_code::not_found);
  CHECK(models.commit_upload("v", "m", "", spec_named("m")).error().code == error_code::not_found);
  CHECK(models.list().empty());
}

TEST_CASE("a wrong name or version is refused at the commit and leaves nothing behind") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  const auto commit = [&](const std::string& name, const std::string& version,
                          const std::string& declared) {
    REQUIRE(models.begin_upload("u").has_value());
    REQUIRE(models.append("u", 0, "bytes").has_value());
    REQUIRE(models.seal_upload("u", 5, runtime::sha256_hex("bytes")).has_value());
    return models.commit_upload("u", name, version, spec_named(declared)).error().code;
  };
  CHECK(commit("../up", "", "../up") == error_code::bad_input);
  CHECK(commit("m", "01", "m") == error_code::bad_input);
  CHECK(commit("m", "", "other") == error_code::bad_input);
  CHECK(count_files(folder.path()) == 0);
  CHECK(open_at(folder.path()).list().empty());
}

TEST_CASE("uploads have a limit in number and size") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  for (const std::string id : {"a", "b", "c"})
    CHECK(models.begin_upload(id).has_value());
  CHECK(models.begin_upload("d").error().code == error_code::overloaded);
  CHECK(models.begin_upload("a").has_value());
  models.abandon_upload("b");
  models.abandon_upload("unknown");
  CHECK(models.begin_upload("d").has_value());
  CHECK(models.append("d", 0, std::string((1 << 20) + 1, 'x')).error().code
        == error_code::too_large);
  CHECK(models.begin_upload("../d").error().code == error_code::bad_input);
  CHECK(models.begin_upload("").error().code == error_code::bad_input);
}

TEST_CASE("a start removes what an upload has left when its process died") {
  const tests::temporary_folder folder;
  tests::write_file(folder / ".staging/u/part", "half a model");
  tests::write_file(folder / "m/config.toml", models::to_toml(spec_named("m")));
  const auto models = open_at(folder.path());
  CHECK(models.list().empty());
  CHECK_FALSE(fs::exists(folder / ".staging/u"));
}

TEST_CASE("a resumable upload goes on after a restart, and becomes a version") {
  const tests::temporary_folder folder;
  const std::string content(3'000, 'c');
  {
    auto models = open_at(folder.path());
    CHECK(models.resume_upload("u", 3'000).value() == 0);
    CHECK(models.append("u", 0, content.substr(0, 1'000)).value() == 1'000);
    CHECK(models.resume_upload("u", 3'000).value() == 1'000);
    CHECK(models.flush_upload("u").value() == 1'000);
  }
  auto models = open_at(folder.path());
  REQUIRE(models.resumable_uploads().size() == 1);
  const auto left = models.resumable_uploads().front();
  CHECK(left.id == "u");
  CHECK(left.byte_size == 3'000);
  CHECK(left.received == 1'000);
  CHECK(left.written_at > 0);
  CHECK(models.append("u", 1'000, content.substr(1'000)).value() == 3'000);
  REQUIRE(models.seal_upload("u", 3'000, runtime::sha256_hex(content)).has_value());
  CHECK(models.commit_upload("u", "m", "4", spec_named("m")).value().byte_size == 3'000);
  CHECK(models.resumable_uploads().empty());
  CHECK(models::read_text(folder / "m/4/model.pt", 10'000).value() == content);
  CHECK(fs::is_empty(folder / ".staging/.resumable"));
}

TEST_CASE("a wrong block does not end a resumable upload, and none makes it too large") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(models.resume_upload("u", 10).has_value());
  REQUIRE(models.append("u", 0, "12345").has_value());
  CHECK(models.append("u", 3, "456").error().code == error_code::bad_input);
  CHECK(models.append("u", 5, "67890+").error().code == error_code::bad_input);
  CHECK(models.resume_upload("u", 11).error().code == error_code::bad_input);
  CHECK(models.append("u", 5, "67890").value() == 10);
}

TEST_CASE("resumable uploads have limits in number, and in the bytes that they are to have") {
  const tests::temporary_folder folder;
  models::repository_options options{folder.path(), 1'000, 1};
  options.resumable_max = 2;
  options.resumable_bytes_max = 1'500;
  auto models = std::move(*repository::open(options));
  CHECK(models.resume_upload("a", 1'001).error().code == error_code::too_large);
  CHECK(models.resume_upload("a", 0).error().code == error_code::bad_input);
  CHECK(models.resume_upload("../a", 1).error().code == error_code::bad_input);
  CHECK(models.resume_upload("a", 1'000).has_value());
  CHECK(models.resume_upload("b", 501).error().code == error_code::overloaded);
  CHECK(models.resume_upload("b", 500).has_value());
  models.abandon_upload("a");
  CHECK(models.resume_upload("c", 1).has_value());
  CHECK(models.resume_upload("d", 1).error().code == error_code::overloaded);
  CHECK(models.resume_upload("c", 1).has_value());
  // The others have their own limit.
  CHECK(models.begin_upload("e").has_value());
  CHECK(models.begin_upload("f").error().code == error_code::overloaded);
}

TEST_CASE("a start removes what is no resumable upload") {
  const tests::temporary_folder folder;
  const auto kept = folder.path() / ".staging/.resumable";
  tests::write_file(kept / "good.9/part", "half");
  tests::write_file(kept / "large.3/part", "more than that");
  tests::write_file(kept / "nameless/part", "half");
  tests::write_file(kept / "published.5/model.pt", "whole");
  tests::write_file(kept / "spaces in it.5/part", "half");
  const auto models = open_at(folder.path());
  REQUIRE(models.resumable_uploads().size() == 1);
  CHECK(models.resumable_uploads().front().id == "good");
  CHECK(std::distance(fs::directory_iterator{kept}, fs::directory_iterator{}) == 1);
}

TEST_CASE("models put there by hand are found, and broken ones named") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "good/config.toml", models::to_toml(spec_named("")));
  tests::write_file(folder / "good/3/model.pt", "bytes");
  tests::write_file(folder / "good/notes.txt", "ignored");
  tests::write_file(folder / "renamed/config.toml", models::to_toml(spec_named("other")));
  tests::write_file(folder / "renamed/1/model.pt", "bytes");
  tests::write_file(folder / "broken/config.toml", "max_batch_size = -1\n");
  tests::write_file(folder / "bare/1/model.pt", "bytes");
  tests::write_file(folder / "empty/config.toml", models::to_toml(spec_named("empty")));
  fs::create_directories(folder / "empty/1");
  fs::create_directories(folder / "bad name");
  tests::write_file(folder / "versionless/config.toml", models::to_toml(spec_named("")));
  tests::write_file(folder / "versionless/v1/model.pt", "bytes");
  const auto models = open_at(folder.path());
  REQUIRE(models.list().size() == 1);
  CHECK(models.list().front().name == "good");
  CHECK(models.list().front().version == "3");
  CHECK(models.list().front().spec.name == "good");
  CHECK(tests::any_contains(models.problems(), "renamed: config.toml names the model \"other\""));
  CHECK(tests::any_contains(models.problems(), "broken: config.toml: line 1: max_batch_size"));
  CHECK(tests::any_contains(models.problems(), "bare: "));
  CHECK(tests::any_contains(models.problems(), "empty/1: can not read model.pt"));
  CHECK(tests::any_contains(models.problems(), "bad name: "));
  CHECK(tests::any_contains(models.problems(), "versionless: it has no version: expected"));
  CHECK(models.problems().size() == 6);
}

TEST_CASE("a start does not read files again that have not changed, and reads those that have") {
  const tests::temporary_folder folder;
  {
    auto models = open_at(folder.path());
    REQUIRE(push(models, "m", "1", "first").has_value());
  }
  const auto file = folder.path() / "m" / "1" / "model.pt";
  const auto time = fs::last_write_time(file);
  tests::write_file(file, "FIRST");
  fs::last_write_time(file, time);
  CHECK(open_at(folder.path()).find("m", "")->digest == runtime::sha256_hex("first"));
  fs::last_write_time(file, time + std::chrono::seconds{1});
  CHECK(open_at(folder.path()).find("m", "")->digest == runtime::sha256_hex("FIRST"));
}

TEST_CASE("a damaged side file costs time only") {
  const tests::temporary_folder folder;
  {
    auto models = open_at(folder.path());
    REQUIRE(push(models, "m", "1", "first").has_value());
  }
  tests::write_file(folder / ".digests", "nonsense \xff\xfe 12\nmore");
  CHECK(open_at(folder.path()).find("m", "")->digest == runtime::sha256_hex("first"));
}

TEST_CASE("a version or a whole model is removed for good") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "m", "1", "one").has_value());
  REQUIRE(push(models, "m", "2", "two").has_value());
  REQUIRE(push(models, "n", "1", "three").has_value());
  CHECK(models.remove("m", "3").error().code == error_code::model_not_found);
  CHECK(models.remove("m", "1").has_value());
  CHECK(models.path_of(runtime::sha256_hex("one")).error().code == error_code::not_found);
  CHECK(models.find("m", "").has_value());
  CHECK(models.remove("m", "2").has_value());
  CHECK(models.find("m", "").error().code == error_code::model_not_found);
  CHECK(models.remove("n", "").has_value());
  CHECK_FALSE(fs::exists(folder / "n"));
  CHECK(open_at(folder.path()).list().empty());
  CHECK(push(models, "m", "", "four")->version == "1");
}

TEST_CASE("two versions with the same bytes are both served until the last is removed") {
  const tests::temporary_folder folder;
  auto models = open_at(folder.path());
  REQUIRE(push(models, "m", "1", "same").has_value());
  REQUIRE(push(models, "m", "2", "same").has_value());
  REQUIRE(models.remove("m", "1").has_value());
  CHECK(models.read_chunk(runtime::sha256_hex("same"), 0, 10)->data.view() == "same");
  REQUIRE(models.remove("m", "2").has_value());
  CHECK_FALSE(models.read_chunk(runtime::sha256_hex("same"), 0, 10).has_value());
}

TEST_CASE("a folder that can not be used is told in words") {
  const tests::temporary_folder folder;
  tests::write_file(folder / "file", "x");
  const auto opened = repository::open({folder / "file", 1, 1});
  REQUIRE_FALSE(opened.has_value());
  CHECK(opened.error().message.find("can not use the model repository") != std::string::npos);
}
