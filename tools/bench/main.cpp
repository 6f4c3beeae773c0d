// dim-bench: measures a running cluster against the project's goals and prints one JSON object.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <set>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "tools/bench/measurements.hpp"

int main(int argc, char** argv) {
  dim::tools::bench_target target;
  std::string file;
  std::uint32_t fill_seconds = 0;
  double rate = 200;
  std::vector<std::string> only;
  CLI::App app{"Measures a running cluster: dim-bench --port 8080 --pid $(pidof dimd)"};
  app.add_option("--host", target.host, "address of the gateway");
  app.add_option("--port", target.port, "port of the gateway");
  app.add_option("--model", target.model, "model with one FP32 input x of shape [n, 64]");
  app.add_option("--pid", target.pid, "process of the orchestrator, to watch its memory");
  app.add_option("--scratch", target.scratch, "folder for the bare loop, on the store's disk");
  app.add_option("--seconds", target.seconds, "length of each run");
  app.add_option("--fill-seconds", fill_seconds,
                 "length of the sustained run, which stores the jobs that are listed afterwards");
  app.add_option("--json", file, "write the result here as well");
  app.add_option("--rate", rate, "jobs a second of --only load");
  app
    .add_option("--only", only,
                "submissions, latency, sustained, lists; load, which must be asked for")
    ->check(CLI::IsMember({"submissions", "latency", "sustained", "lists", "load"}));
  CLI11_PARSE(app, argc, argv);

  std::set<std::string> chosen(only.begin(), only.end());
  auto wanted = [&](const char* name) { return chosen.empty() || chosen.contains(name); };
  auto rss_at_start = dim::tools::anonymous_bytes(target.pid);
  nlohmann::json result;
  if (wanted("latency"))
    result["single_job"] = dim::tools::measure_latency(target);
  if (wanted("sustained")) {
    auto longer = target;
    longer.seconds = std::max(target.seconds, fill_seconds);
    result["sustained"] = dim::tools::measure_sustained(longer);
  }
  if (wanted("lists"))
    result["lists"] = dim::tools::measure_lists(target, rss_at_start);
  if (wanted("submissions"))
    result["durable_submissions"] = dim::tools::measure_submissions(target);
  if (chosen.contains("load"))
    result["load"] = dim::tools::measure_load(target, rate);
  std::cout << result.dump(2) << std::endl;
  if (!file.empty())
    std::ofstream{file} << result.dump(2) << "\n";
  return 0;
}
