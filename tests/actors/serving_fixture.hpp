#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "actors/cluster/messages.hpp"
#include "actors/store/model_catalogue.hpp"
#include "runtime/caf_errors.hpp"
#include "runtime/digest.hpp"
#include "tests/models/tensors.hpp"
#include "tests/support/actor_fixture.hpp"
#include "tests/support/model_config.hpp"
#include "tests/support/temporary_folder.hpp"

namespace dim::tests {

using namespace dim::actors;
using runtime::error_code;

inline const std::string echo_text = R"(max_batch_size = 8
kind = "identity"

[[inputs]]
name = "x"
datatype = "FP32"
dims = [4]

[[outputs]]
name = "y"
datatype = "FP32"
dims = [4]
)";

inline const std::string ensemble_text = R"(kind = "ensemble"
max_batch_size = 8

[[inputs]]
name = "in"
datatype = "FP32"
dims = [4]

[[outputs]]
name = "out"
datatype = "FP32"
dims = [4]

[[steps]]
model = "echo"
inputs = { x = "in" }
outputs = { y = "out" }
)";

/// MODELS over a repository with the model "echo" of versions 1 to 3, and a ROUTER that notes what
/// it is told and asked, and answers when the test lets it. Every file that is uploaded is taken
/// for a model.
struct serving_fixture : actor_fixture {
  explicit serving_fixture(const std::string& control = "all") {
    for (const char* version : {"1", "2", "3"})
      std::filesystem::create_directories(folder / "models/echo" / version);
    write_file(folder / "models/echo/config.toml", echo_text);
    write_file(folder / "models/whole/config.toml", ensemble_text);
    arguments.router.set(fake<router_actor>(
      [](const run_inference&) { return inference_done{}; },
      [](const run_inferences&) { return inferences_done{}; }, [](const withdraw_inference&) {},
      [](const get_model_statistics&) { return model_statistics_list{}; },
      [this](const served_models& news) { told.push_back(news); },
      [this](const prepare_model& wish) -> caf::result<model_prepared> {
        prepared.push_back(wish.model);
        if (refusal)
          return runtime::to_error(*refusal);
        if (wish.model.version == refused_version)
          return runtime::to_error(error_code::bad_model, "it has no forward");
        return model_prepared{"node-1"};
      },
      [this](const retire_model& wish) {
        retired.push_back(wish);
        return model_retired{};
      },
      [](const get_inference_records&) { return inference_record_list{}; },
      [](const infer_results&) {}, [](const node_updated&) {}, [](const node_lost&) {},
      [](router_due) {}));
    arguments.serving.control = control;
    arguments.check_program = "/bin/true";
    start();
  }

  void start() {
    models::repository_options options;
    options.folder = folder / "models";
    auto opened = models::repository::open(options);
    REQUIRE(opened);
    CHECK(opened->problems().empty());
    arguments.repository = std::make_shared<models::repository>(std::move(*opened));
    arguments.blobs = std::make_shared<runtime::blob_store>(
      *runtime::blob_store::open(folder / "blobs", false));
    catalogue = sys().spawn(model_catalogue, arguments);
    run();
  }

  runtime::expected<served_models> load(const std::string& name, const std::string& version = "",
                                        const std::string& config = "") {
    return ask<served_models>(catalogue, load_served_model{name, version, config, 10'000});
  }

  runtime::expected<served_models> unload(const std::string& name, const std::string& version = "",
                                          bool dependents = false) {
    return ask<served_models>(catalogue, unload_served_model{name, version, dependents, 10'000});
  }

  finish_upload uploading(const std::string& id, const std::string& name,
                          const std::string& content, const std::string& config = config_text) {
    REQUIRE(ask<upload_progress>(catalogue,
                                 upload_block{id, 0, runtime::bytes::copy_of(content)}));
    return {id, name, "", config, content.size(), runtime::sha256_hex(content), "", 10'000};
  }

  runtime::expected<model_entry> push(const std::string& name, const std::string& content,
                                      const std::string& config = config_text) {
    return ask<model_entry>(catalogue, uploading("u1", name, content, config));
  }

  runtime::expected<model_list> remove(const std::string& name, const std::string& version = "") {
    return ask<model_list>(catalogue, remove_model{name, version});
  }

  runtime::expected<model_alias> set(const std::string& alias, model_alias target) {
    return ask<model_alias>(catalogue, set_model_alias{alias, std::move(target), 10'000});
  }

  /// As the catalogue has it now, whether it is served or not.
  model_entry entry_now(const std::string& name, const std::string& version) {
    const auto found = ask<model_entry>(catalogue, find_model{name, version});
    REQUIRE(found);
    return *found;
  }

  /// The disk takes no wishes from now on.
  void block_wishes() {
    std::filesystem::remove(folder / "models/.serving");
    std::filesystem::create_directories(folder / "models/.serving/blocked");
  }

  std::string reason(const std::string& name, const std::string& version) const {
    for (const served_version& each : told.back().versions)
      if (each.model.name == name && each.model.version == version)
        return each.reason;
    return "it is not there";
  }

  /// What ROUTER was told last: "1:unknown 2:unknown 3:ready".
  std::string states(const std::string& name) const {
    std::string text;
    for (const served_version& each : told.back().versions)
      if (each.model.name == name)
        text += (text.empty() ? "" : " ") + each.model.version + ":" + word(each.state);
    return text;
  }

  static std::string word(serving_state state) {
    constexpr const char* words[] = {"unknown", "ready", "unavailable", "loading", "unloading"};
    return words[static_cast<std::size_t>(state)];
  }

  temporary_folder folder;
  models_arguments arguments;
  models_actor catalogue;
  std::vector<served_models> told;
  std::vector<model_entry> prepared;
  std::vector<retire_model> retired;
  std::optional<runtime::failure> refusal;
  std::string refused_version;
};

}  // namespace dim::tests
