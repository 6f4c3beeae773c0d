#pragma once

#include <filesystem>
#include <fstream>
#include <iterator>

#include <doctest/doctest.h>

#include "actors/store/model_catalogue.hpp"
#include "runtime/digest.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/model_config.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

using namespace dim::actors;

/// MODELS over an empty repository. A shell script stands for the program that opens files: it
/// refuses those that hold "broken", and never ends over those that hold "endless".
struct models_fixture : actor_fixture {
  models_fixture() {
    write_program();
    open_repository();
    arguments.blobs = std::make_shared<runtime::blob_store>(
      *runtime::blob_store::open(folder / "blobs", false));
    arguments.check_program = folder / "program";
    arguments.check_timeout_ms = 5'000;
    arguments.upload_idle_ms = 60'000;
    catalogue = sys().spawn(model_catalogue, arguments);
    run();
  }

  void open_repository() {
    arguments.repository.reset();
    models::repository_options options;
    options.folder = folder / "models";
    auto opened = models::repository::open(options);
    REQUIRE(opened);
    arguments.repository = std::make_shared<models::repository>(std::move(*opened));
  }

  /// Another process over the same disk.
  void restart() {
    kill(catalogue, caf::exit_reason::user_shutdown);
    open_repository();
    catalogue = sys().spawn(model_catalogue, arguments);
    run();
  }

  void write_program() {
    const auto path = folder / "program";
    std::ofstream(path) << "#!/bin/sh\n"
                           "[ \"$1\" = --verify ] && [ \"$3\" = --spec ] || exit 9\n"
                           "grep -q 'name = \"x\"' \"$4\" || exit 8\n"
                           "if grep -q endless \"$2\"; then while :; do :; done; fi\n"
                           "if grep -q murder \"$2\"; then kill -SEGV $$; fi\n"
                           "if grep -q broken \"$2\"; then\n"
                           "  echo 'first line' >&2; echo 'not a program' >&2; exit 1\n"
                           "fi\n";
    std::filesystem::permissions(path, std::filesystem::perms::owner_all);
  }

  runtime::expected<upload_progress> send_block(const std::string& id, std::uint64_t offset,
                                                const std::string& data) {
    return ask<upload_progress>(catalogue,
                                upload_block{id, offset, runtime::bytes::copy_of(data)});
  }

  finish_upload finishing(const std::string& id, const std::string& content,
                          const std::string& version = "") {
    return {id, "digits", version, config_text, content.size(), runtime::sha256_hex(content), "",
            10'000};
  }

  runtime::expected<model_entry> push(const std::string& content,
                                      const std::string& version = "") {
    REQUIRE(send_block("u1", 0, content));
    return ask<model_entry>(catalogue, finishing("u1", content, version));
  }

  std::size_t versions() {
    return ask<model_list>(catalogue, list_models{})->models.size();
  }

  /// Files and folders of uploads that are not over.
  std::size_t staged() {
    const auto staging = folder.path() / "models" / ".staging";
    const auto entries = [](const std::filesystem::path& of) {
      return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator{of}, {}));
    };
    // One of them is the folder of the resumable ones.
    return entries(staging) - 1 + entries(staging / ".resumable");
  }

  temporary_folder folder;
  models_arguments arguments;
  models_actor catalogue;
};

}  // namespace dim::tests
