#include "tools/dim/command_line.hpp"

#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include "config/suggestion.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"

namespace dim::tools {

namespace {

constexpr const char* address_without_any = "http://127.0.0.1:8080";

struct common_wish {
  std::string url;
  answer_form form;
  client_limits limits;
  std::uint32_t retry_ms = 30'000;
};

void add_common(CLI::App& app, common_wish& wish) {
  app.add_option("--url", wish.url,
                 "The gateway; otherwise DIM_URL, otherwise http://127.0.0.1:8080");
  app.add_flag("--json", wish.form.is_json, "The gateway's JSON, for programs");
  app.add_flag("--full", wish.form.is_full, "Nothing shortened");
  app.add_option("--connect-timeout-ms", wish.limits.connect_timeout_ms,
                 "For one connection; 5000 when not given");
  app.add_option("--reply-timeout-ms", wish.limits.reply_timeout_ms,
                 "For one answer; 30000 when not given");
  app.add_option("--retry-ms", wish.retry_ms,
                 "How long submit, push, watch and --wait try again when the gateway is away or "
                 "full; 30000 when not given");
}

void add_commands(CLI::App& app, command& chosen) {
  add_submit(app, chosen);
  add_list(app, chosen);
  add_get(app, chosen);
  add_cancel(app, chosen);
  add_watch(app, chosen);
  add_nodes(app, chosen);
  add_models(app, chosen);
  add_push(app, chosen);
  add_remove(app, chosen);
  add_alias(app, chosen);
  add_stats(app, chosen);
  add_bench(app, chosen);
  add_ca(app, chosen);
  add_fault(app, chosen);
  add_node(app, chosen);
  add_backup(app, chosen);
  add_restore(app, chosen);
  for (auto* each : app.get_subcommands(nullptr))
    each->fallthrough();
}

std::string url_of(const common_wish& wish, const console& io) {
  if (!wish.url.empty())
    return wish.url;
  const auto set = io.variables.find("DIM_URL");
  return set == io.variables.end() || set->second.empty() ? address_without_any : set->second;
}

/// The commands and flags that may stand where `app` has got to.
std::vector<std::string> known_words(const CLI::App& app) {
  const auto all = [](const auto*) { return true; };
  const auto* last = &app;
  std::vector<std::string> result;
  for (;;) {
    for (const auto* option : last->get_options(all))
      for (const auto& name : option->get_lnames())
        result.push_back("--" + name);
    const auto given = last->get_subcommands();
    if (given.empty())
      break;
    last = given.front();
  }
  for (const auto* each : last->get_subcommands(all))
    result.push_back(each->get_name());
  return result;
}

/// What is wrong with a command line. Where something in it is not known, what is missing is most
/// likely that.
std::string words_of(const CLI::App& app, const CLI::ParseError& error) {
  const auto unknown = app.remaining(true);
  const bool is_about_it = dynamic_cast<const CLI::RequiredError*>(&error) != nullptr
                           || dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr;
  if (unknown.empty() || !is_about_it)
    return error.what();
  return "unknown argument " + cleaned(unknown.front())
         + config::suggestion(unknown.front(), known_words(app));
}

/// The exit status of a command line that asks for help, or that is wrong.
int explain(const CLI::App& app, const CLI::ParseError& error, console& io) {
  if (error.get_exit_code() == 0)
    return app.exit(error, io.out, io.err);
  io.err << "dim: " << words_of(app, error) << '\n' << "Run \"dim --help\" for more information.\n";
  return static_cast<int>(exit_status::usage);
}

}  // namespace

int run_command_line(int argc, const char* const* argv, console& io) {
  CLI::App app{"The command line of DIM, the Decentralized Inference Machine.", "dim"};
  common_wish wish;
  command chosen;
  app.set_version_flag("--version", "dim " DIM_VERSION);
  app.footer("Exit status: 0 done, 1 failed, 2 usage, 3 unreachable.");
  app.require_subcommand(1);
  add_common(app, wish);
  add_commands(app, chosen);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return explain(app, error, io);
  }
  auto gateway = parse_address(url_of(wish, io));
  if (!gateway)
    return report(io, gateway.error());
  session with{http_client{std::move(*gateway), wish.limits}, io, wish.form, wish.retry_ms};
  return chosen(with);
}

}  // namespace dim::tools
