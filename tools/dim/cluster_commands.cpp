#include <cmath>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/fields_text.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/table.hpp"
#include "tools/dim/tensor_text.hpp"

namespace dim::tools {

namespace {

std::string names_of(const std::vector<json>& list) {
  std::string result;
  for (const auto& x : list)
    result += (result.empty() ? "" : ", ") + text_at(x, "name");
  return result;
}

void print_nodes(session& with, const std::vector<json>& nodes) {
  std::vector<std::string> ids;
  for (const auto& node : nodes)
    ids.push_back(text_at(node, "id"));
  const auto shown_ids = with.form().is_full ? ids : shortened(ids);
  table shown{{{"ID"}, {"NAME", true}, {"STATE"}, {"REPUTATION", false, true},
               {"CORES", false, true}, {"MEMORY", false, true}, {"DEVICES", true},
               {"CABINETS", true}, {"DONE", false, true}, {"FAILED", false, true},
               {"HEARTBEAT (UTC)"}}};
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const auto& node = nodes[i];
    const auto state = text_at(node, "state");
    shown.add({shown_ids[i], text_at(node, "name"), {state, colour_of(state)},
               tensor_number(member_of(node, "reputation_score")), text_at(node, "cpu_cores"),
               text_at(node, "memory_gb") + " GB", names_of(list_at(node, "devices")),
               names_of(list_at(node, "cabinets")), text_at(node, "successful_jobs_run"),
               text_at(node, "failed_jobs"), time_text(text_at(node, "last_heartbeat"))});
  }
  shown.print(with.io(), with.form().is_full);
}

/// Prints `answer` as JSON, or by `print`; or why there is none.
template <class Print>
int show(session& with, const outcome<json>& answer, Print print) {
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json())
    with.io().out << pretty(*answer);
  else
    print(*answer);
  with.io().out << std::flush;
  return 0;
}

int nodes(session& with, const std::string& id) {
  if (!id.empty())
    return show(with, with.get(target{"/api/v1/nodes"}.at(id)),
                [&with](const json& node) { print_fields(with.io(), node); });
  return show(with, with.get(target{"/api/v1/nodes"}),
              [&with](const json& answer) { print_nodes(with, list_at(answer, "nodes")); });
}

int stats(session& with) {
  return show(with, with.get(target{"/stats"}),
              [&with](const json& answer) { print_fields(with.io(), answer); });
}

}  // namespace

void add_nodes(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("nodes", "List the nodes, or show one");
  const auto id = std::make_shared<std::string>();
  added->add_option("id", *id, "The node's id, or the beginning of it")->check(not_empty());
  added->callback([id, &chosen] {
    chosen = [id](session& with) { return nodes(with, *id); };
  });
}

void add_stats(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("stats", "Show the cluster's totals");
  added->callback([&chosen] { chosen = [](session& with) { return stats(with); }; });
}

}  // namespace dim::tools
