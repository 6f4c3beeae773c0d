#include <chrono>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "runtime/random_source.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/table.hpp"
#include "tools/fault/fault_run.hpp"

namespace dim::tools {

namespace {

struct run_wish {
  std::string plan;
  std::optional<std::uint64_t> seed;
  std::string json_file;
  std::string junit_file;
  bool is_workload_only = false;
  std::uint32_t local_nodes = 0;
  std::vector<std::string> settings;
  std::string samples;
  bool is_kept = false;
};

outcome<scenario::scenario> read_plan(const run_wish& wish) {
  std::ifstream file{wish.plan, std::ios::binary};
  if (!file)
    return fail(exit_status::usage, "can not read " + wish.plan);
  const std::string text{std::istreambuf_iterator<char>{file}, {}};
  auto plan = scenario::read_scenario(text);
  if (!plan)
    return fail(exit_status::usage, wish.plan + ": " + plan.error().message, plan.error().details);
  if (wish.seed)
    plan->seed = *wish.seed;
  return std::move(*plan);
}

outcome<void> write_file(const std::string& path, const std::string& text) {
  if (path.empty())
    return {};
  std::ofstream file{path, std::ios::binary};
  file << text << std::flush;
  if (!file)
    return fail(exit_status::failed, "can not write " + path);
  return {};
}

outcome<std::unique_ptr<local_cluster>> start_local(session& with, const run_wish& wish) {
  if (wish.local_nodes == 0)
    return nullptr;
  with.io().err << "starting an orchestrator and " << wish.local_nodes << " nodes" << std::endl;
  return local_cluster::start(
    {wish.local_nodes, wish.settings, wish.samples, !wish.is_workload_only});
}

outcome<scenario::run_report> run_plan(session& with, const run_wish& wish) {
  auto plan = read_plan(wish);
  if (!plan)
    return tl::unexpected(plan.error());
  auto local = start_local(with, wish);
  if (!local)
    return tl::unexpected(local.error());
  fault_run_options options;
  options.gateway = *local ? *parse_address((*local)->url()) : with.gateway();
  options.plan = std::move(*plan);
  options.is_workload_only = wish.is_workload_only;
  options.local = local->get();
  options.run_name = "fault-run-" + std::to_string(runtime::seed_from_system() % 1'000'000'000);
  options.tell = [&with](const std::string& line) { with.io().err << line << std::endl; };
  auto report = run_faults(options);
  const auto is_good = report && report->is_passed();
  if (*local && (wish.is_kept || !is_good)) {
    (*local)->keep_folder();
    with.io().err << "logs and data are in " << (*local)->folder().string() << std::endl;
  }
  return report;
}

int run(session& with, const run_wish& wish) {
  const auto report = run_plan(with, wish);
  if (!report)
    return tools::report(with.io(), report.error());
  with.io().out << (with.is_json() ? scenario::json_of(*report) : scenario::text_of(*report))
                << std::flush;
  for (const auto& written : {write_file(wish.json_file, scenario::json_of(*report)),
                              write_file(wish.junit_file, scenario::junit_of(*report))})
    if (!written)
      return tools::report(with.io(), written.error());
  return report->is_passed() ? 0 : static_cast<int>(exit_status::failed);
}

std::string joined(const std::vector<json>& texts) {
  std::string result;
  for (const auto& each : texts)
    result += (result.empty() ? "" : ", ") + text_of(each);
  return result;
}

int print_faults(session& with, const outcome<json>& answer) {
  if (!answer)
    return tools::report(with.io(), answer.error());
  auto& out = with.io().out;
  if (with.is_json()) {
    out << pretty(*answer);
    return 0;
  }
  table processes{{{"PROCESS"}, {"PID"}, {"AGENTS"}}};
  for (const auto& each : list_at(*answer, "processes"))
    processes.add(
      {joined(list_at(each, "names")), text_at(each, "pid"), joined(list_at(each, "agents"))});
  processes.print(with.io());
  table faults{{{"FAULT"}, {"ACTION"}, {"TARGET"}, {"LEFT MS"}, {"STRIKES"}}};
  for (const auto& each : list_at(*answer, "faults"))
    faults.add({text_at(each, "id"), text_at(each, "action"), text_at(each, "target"),
                text_at(each, "left_ms"), text_at(each, "strikes")});
  if (faults.empty()) {
    out << "\nno fault is active\n";
    return 0;
  }
  out << '\n';
  faults.print(with.io());
  return 0;
}

int clear(session& with, const std::string& id) {
  http_request request;
  request.method = "DELETE";
  auto where = target{"/api/v1/faults"};
  request.target = id.empty() ? where.text() : where.at(id).text();
  const auto answer = with.send(request);
  if (!answer || with.is_json())
    return print_faults(with, answer);
  with.io().out << "ended " << list_at(*answer, "faults").size() << " faults\n";
  return 0;
}

void add_run(CLI::App& fault, command& chosen) {
  auto* added = fault.add_subcommand(
    "run", "Run a plan: its jobs, its faults, and a look at whether all promises were kept");
  const auto wish = std::make_shared<run_wish>();
  added->add_option("plan", wish->plan, "A plan in TOML")->required();
  added->add_option("--seed", wish->seed, "Instead of the plan's");
  added->add_option("--json", wish->json_file, "Write the report as JSON to this file");
  added->add_option("--junit", wish->junit_file, "Write it as JUnit XML to this file");
  added->add_flag("--workload-only", wish->is_workload_only, "Strike no faults");
  added->add_option("--local", wish->local_nodes,
                    "Start a cluster of so many nodes on this machine, for this run only");
  added->add_option("--set", wish->settings,
                    "With --local: an option of all daemons, as section.key=value");
  added->add_option("--samples", wish->samples,
                    "With --local: what sample-models has made; otherwise it is made anew");
  added->add_flag("--keep", wish->is_kept, "With --local: leave logs and data behind");
  added->callback([wish, &chosen] { chosen = [wish](session& with) { return run(with, *wish); }; });
}

}  // namespace

void add_fault(CLI::App& app, command& chosen) {
  auto* fault = app.add_subcommand(
    "fault", "Injects faults into a cluster that was started with [faults] enabled = true");
  fault->require_subcommand(1);
  add_run(*fault, chosen);
  auto* list = fault->add_subcommand("list", "Processes that can be hit, and active faults");
  list->callback([&chosen] {
    chosen = [](session& with) { return print_faults(with, with.get(target{"/api/v1/faults"})); };
  });
  auto* ended = fault->add_subcommand("clear", "End active faults");
  const auto id = std::make_shared<std::string>();
  ended->add_option("id", *id, "Only this one");
  ended->callback([id, &chosen] { chosen = [id](session& with) { return clear(with, *id); }; });
  for (auto* each : fault->get_subcommands(nullptr))
    each->fallthrough();
}

}  // namespace dim::tools
