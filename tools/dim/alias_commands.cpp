// dim alias: other names of models, under which clients ask for them.
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/table.hpp"

namespace dim::tools {

namespace {

target alias_target(const std::string& alias) {
  return target{"/api/v1/aliases"}.at(alias);
}

int list(session& with) {
  const auto answer = with.get(target{"/api/v1/aliases"});
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json()) {
    with.io().out << pretty(*answer);
    return 0;
  }
  table shown{{{"ALIAS"}, {"MODEL"}, {"VERSION", false, true}}};
  for (const auto& alias : list_at(*answer, "aliases")) {
    const auto version = text_at(alias, "version");
    shown.add({text_at(alias, "name"), text_at(alias, "model"),
               version.empty() ? "newest" : version});
  }
  shown.print(with.io(), with.form().is_full);
  return 0;
}

/// `reference` is MODEL or MODEL:VERSION.
int set(session& with, const std::string& alias, const std::string& reference) {
  const auto colon = reference.rfind(':');
  json body{{"model", reference.substr(0, colon)}};
  if (colon != std::string::npos)
    body["version"] = reference.substr(colon + 1);
  http_request request;
  request.method = "PUT";
  request.target = alias_target(alias).text();
  request.headers = {{"Content-Type", "application/json"}};
  request.body = body.dump();
  const auto answer = with.send(request);
  if (!answer)
    return report(with.io(), answer.error());
  const auto version = text_at(*answer, "version");
  if (with.is_json())
    with.io().out << pretty(*answer);
  else
    with.io().out << cleaned(text_at(*answer, "name") + " is " + text_at(*answer, "model")
                             + (version.empty() ? "" : ":" + version))
                  << '\n';
  return 0;
}

int remove(session& with, const std::string& alias) {
  http_request request;
  request.method = "DELETE";
  request.target = alias_target(alias).text();
  const auto answer = with.send(request);
  if (!answer)
    return report(with.io(), answer.error());
  if (!with.is_json())
    with.io().out << "removed " << cleaned(alias) << '\n';
  return 0;
}

}  // namespace

void add_alias(CLI::App& app, command& chosen) {
  auto* group = app.add_subcommand("alias", "Other names of models");
  group->require_subcommand(1);
  const auto alias = std::make_shared<std::string>();
  const auto reference = std::make_shared<std::string>();
  auto* listed = group->add_subcommand("list", "List them");
  listed->callback([&chosen] { chosen = list; });
  auto* put = group->add_subcommand("set", "Give a model, or one version of it, another name");
  put->add_option("alias", *alias, "The other name")->required()->check(not_empty());
  put->add_option("model", *reference, "MODEL for its newest version, or MODEL:VERSION")
    ->required()
    ->check(not_empty());
  put->callback([alias, reference, &chosen] {
    chosen = [alias, reference](session& with) { return set(with, *alias, *reference); };
  });
  auto* removed = group->add_subcommand("remove", "Take the other name away");
  removed->add_option("alias", *alias, "The other name")->required()->check(not_empty());
  removed->callback([alias, &chosen] {
    chosen = [alias](session& with) { return remove(with, *alias); };
  });
  for (auto* each : {listed, put, removed})
    each->fallthrough();
}

}  // namespace dim::tools
