#include <filesystem>
#include <memory>
#include <system_error>

#include <CLI/CLI.hpp>

#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/model_file.hpp"
#include "tools/dim/model_upload.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/progress_bar.hpp"
#include "tools/dim/table.hpp"

namespace dim::tools {

namespace {

/// A model is opened before it is accepted, which for a large one takes its time.
constexpr std::uint32_t acceptance_ms = 180'000;
/// The configuration travels in a header field.
constexpr std::size_t config_bytes_max = 45'000;

struct push_wish {
  std::string name;
  std::string file;
  std::string config;
  std::string version;
};

/// "x FP32[64]" for each input or output.
std::string tensors_of(const json& model, const char* key) {
  std::string result;
  for (const auto& x : list_at(model, key))
    result += (result.empty() ? "" : ", ") + text_at(x, "name") + " " + text_at(x, "datatype")
              + text_at(x, "dims");
  return result;
}

void print_models(session& with, const std::vector<json>& models) {
  const bool is_full = with.form().is_full;
  table shown{{{"MODEL"}, {"VERSION", false, true}, {"SIZE", false, true}, {"INPUTS", true},
               {"OUTPUTS", true}, {"BATCH", false, true}, {"CREATED (UTC)"}, {"DIGEST"}}};
  for (const auto& model : models) {
    const auto digest = text_at(model, "digest");
    shown.add({text_at(model, "name"), text_at(model, "version"),
               size_text(static_cast<std::uint64_t>(number_at(model, "byte_size"))),
               tensors_of(model, "inputs"), tensors_of(model, "outputs"),
               text_at(model, "max_batch_size"), time_text(text_at(model, "created_at")),
               is_full ? digest : digest.substr(0, 12)});
  }
  shown.print(with.io(), is_full);
}

int models(session& with, const std::string& name) {
  auto where = target{"/api/v1/models"};
  if (!name.empty())
    where.at(name);
  const auto answer = with.get(where);
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json())
    with.io().out << pretty(*answer);
  else
    print_models(with, list_at(*answer, name.empty() ? "models" : "versions"));
  return 0;
}

outcome<upload_wish> read_push(const push_wish& wish) {
  auto config = text_of_file(wish.config);
  if (!config)
    return tl::unexpected(config.error());
  if (config->size() > config_bytes_max)
    return fail(exit_status::usage, wish.config + " is larger than "
                                      + std::to_string(config_bytes_max) + " bytes");
  auto digest = digest_of_file(wish.file);
  if (!digest)
    return tl::unexpected(digest.error());
  std::error_code error;
  const auto size = std::filesystem::file_size(wish.file, error);
  if (error || size == 0)
    return fail(exit_status::usage, wish.file + " is empty");
  upload_wish result;
  result.file = wish.file;
  result.byte_size = size;
  result.request.method = "POST";
  result.request.target
    = target{"/api/v1/models"}.with("name", wish.name).with("version", wish.version).text();
  result.request.headers = {{"Content-Type", "application/octet-stream"},
                            {"Digest", std::move(*digest)},
                            {"X-Dim-Model-Config", base64(*config)}};
  result.request.wait_ms = acceptance_ms;
  return result;
}

int push(session& with, const push_wish& wish) {
  auto upload = read_push(wish);
  if (!upload)
    return report(with.io(), upload.error());
  progress_bar bar{with.io()};
  http_client::progress draw;
  if (!with.is_json())
    draw = [&bar](std::uint64_t sent, std::uint64_t all) {
      bar.draw(static_cast<double>(sent) / static_cast<double>(all),
               sent < all ? size_text(sent) + " of " + size_text(all) : "checking the model");
    };
  const auto answer = model_upload{with, std::move(*upload)}.run(draw);
  bar.clear();
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json())
    with.io().out << pretty(*answer);
  else
    with.io().out << cleaned(text_at(*answer, "name") + ":" + text_at(*answer, "version")) << '\n';
  return 0;
}

int remove(session& with, const std::string& name, const std::string& version) {
  auto where = target{"/api/v1/models"}.at(name);
  if (!version.empty())
    where.at("versions").at(version);
  http_request request;
  request.method = "DELETE";
  request.target = where.text();
  const auto answer = with.send(request);
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json())
    with.io().out << pretty(*answer);
  else
    with.io().out << "removed " << name << (version.empty() ? "" : ":" + version) << '\n';
  return 0;
}

}  // namespace

void add_models(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("models", "List the models, or the versions of one");
  const auto name = std::make_shared<std::string>();
  added->add_option("name", *name, "The model's name")->check(not_empty());
  added->callback([name, &chosen] {
    chosen = [name](session& with) { return models(with, *name); };
  });
}

void add_push(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("push", "Upload a version of a model");
  const auto wish = std::make_shared<push_wish>();
  added->add_option("name", wish->name, "The model's name")->required()->check(not_empty());
  added->add_option("file", wish->file, "A TorchScript program")->required();
  added->add_option("--config", wish->config, "Its config.toml: inputs, outputs, batches")
    ->required();
  added->add_option("--version", wish->version, "A whole number; the next one when not given")
    ->check(not_empty());
  added->callback([wish, &chosen] {
    chosen = [wish](session& with) { return push(with, *wish); };
  });
}

void add_remove(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("remove", "Remove a model, or one version of it");
  const auto name = std::make_shared<std::string>();
  const auto version = std::make_shared<std::string>();
  added->add_option("name", *name, "The model's name")->required()->check(not_empty());
  added->add_option("version", *version, "Only this version")->check(not_empty());
  added->callback([name, version, &chosen] {
    chosen = [name, version](session& with) { return remove(with, *name, *version); };
  });
}

}  // namespace dim::tools
