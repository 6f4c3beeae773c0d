// dim backup and dim restore. Making a backup is the orchestrator's work; checking one and making a
// data folder of it needs no daemon.
#include <filesystem>
#include <memory>

#include <CLI/CLI.hpp>

#include "actors/store/backup_check.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr auto look_pause = std::chrono::milliseconds{200};

struct backup_wish {
  std::string folder;
  std::string data_dir;
};

int report_failure(session& with, const runtime::failure& what) {
  return report(with.io(), {exit_status::failed, what.message, std::string{to_string(what.code)},
                            what.details});
}

int show(session& with, const json& answer, const std::string& words) {
  if (with.is_json())
    with.io().out << pretty(answer);
  else
    with.io().out << cleaned(words) << '\n';
  with.io().out << std::flush;
  return 0;
}

std::string words_of(std::uint64_t files, std::uint64_t bytes) {
  return std::to_string(files) + " files, " + size_text(bytes);
}

/// The folder is on the orchestrator's machine: a relative one is taken from here, which is right
/// where both are the same machine.
int make(session& with, const std::string& folder) {
  const auto path = std::filesystem::absolute(folder).lexically_normal().string();
  http_request request;
  request.method = "POST";
  request.target = "/api/v1/backup";
  request.headers = {{"Content-Type", "application/json"}};
  request.body = json{{"folder", path}}.dump();
  auto answer = with.send(request);
  while (answer && text_at(*answer, "state") == "running") {
    with.io().pause(look_pause);
    answer = with.get(target{"/api/v1/backup"});
  }
  if (!answer)
    return report(with.io(), answer.error());
  if (text_at(*answer, "folder") != path)
    return report(with.io(), {exit_status::failed, "another backup has begun meanwhile", "", {}});
  if (text_at(*answer, "state") != "done")
    return report(with.io(), {exit_status::failed,
                              "the backup failed: " + text_at(*answer, "error"),
                              text_at(*answer, "code"), {}});
  const auto files = static_cast<std::uint64_t>(number_at(*answer, "files"));
  const auto bytes = static_cast<std::uint64_t>(number_at(*answer, "bytes"));
  return show(with, *answer, "made backup " + path + ": " + words_of(files, bytes));
}

json fields_of(const actors::backup_manifest& manifest) {
  return {{"cluster", manifest.cluster},       {"schema", manifest.schema},
          {"made_at_ms", manifest.made_at},    {"generation", manifest.generation},
          {"last_event", manifest.last_event}, {"jobs", manifest.jobs},
          {"files", manifest.files.size()},    {"bytes", manifest.byte_size()}};
}

int verify(session& with, const std::string& folder) {
  const auto manifest = actors::verify_backup(folder);
  if (!manifest)
    return report_failure(with, manifest.error());
  return show(with, fields_of(*manifest),
              folder + " is whole: " + words_of(manifest->files.size(), manifest->byte_size())
                + ", " + std::to_string(manifest->jobs) + " jobs");
}

int restore(session& with, const backup_wish& wish) {
  const auto manifest = actors::restore_backup(wish.folder, wish.data_dir);
  if (!manifest)
    return report_failure(with, manifest.error());
  return show(with, fields_of(*manifest),
              "restored " + wish.folder + " into " + wish.data_dir + ": "
                + std::to_string(manifest->jobs) + " jobs; start dimd on it with"
                + " --cluster.data_dir");
}

}  // namespace

void add_backup(CLI::App& app, command& chosen) {
  auto* added =
    app.add_subcommand("backup", "Copy what the orchestrator has on disk, while it runs");
  const auto wish = std::make_shared<backup_wish>();
  added->add_option("folder", wish->folder, "On the orchestrator's machine; empty or not there");
  added->require_subcommand(0, 1);
  auto* checked = added->add_subcommand("verify", "Check a backup; needs no daemon");
  checked->add_option("folder", wish->folder, "The backup")->required();
  checked->callback([wish, &chosen] {
    chosen = [wish](session& with) { return verify(with, wish->folder); };
  });
  checked->fallthrough();
  added->callback([added, wish, &chosen] {
    if (!added->get_subcommands().empty())
      return;
    if (wish->folder.empty())
      throw CLI::RequiredError("folder");
    chosen = [wish](session& with) { return make(with, wish->folder); };
  });
}

void add_restore(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("restore", "Make a data folder of a backup; needs no daemon");
  const auto wish = std::make_shared<backup_wish>();
  added->add_option("folder", wish->folder, "The backup")->required();
  added->add_option("--data-dir", wish->data_dir, "The new data folder; empty or not there")
    ->required();
  added->callback([wish, &chosen] {
    chosen = [wish](session& with) { return restore(with, *wish); };
  });
}

}  // namespace dim::tools
