#include "tools/fault/fault_run.hpp"

#include <thread>

#include "tools/fault/final_state.hpp"
#include "tools/fault/job_maker.hpp"
#include "tools/fault/recovery.hpp"
#include "tools/fault/settling.hpp"
#include "tools/fault/striker.hpp"
#include "tools/fault/submitter.hpp"
#include "tools/fault/watcher.hpp"

namespace dim::tools {

namespace {

constexpr std::int64_t supervision_pause_ms = 50;

outcome<void> check_plan(const fault_run_options& options) {
  for (const auto& fault : options.plan.faults)
    if (fault.action == scenario::fault_action::clock_skew && !options.is_workload_only)
      return fail(exit_status::usage,
                  "the plan moves a clock: only the simulation can do that to a process");
  return {};
}

/// Whether the gateway is there, and lets this run do harm.
outcome<void> check_gateway(patient_client& gateway, bool has_faults) {
  const auto alive = gateway.get("/health/live");
  if (!alive.is_good())
    return fail(exit_status::unreachable, "no gateway answers: " + alive.problem);
  if (!has_faults)
    return {};
  const auto faults = gateway.get("/api/v1/faults");
  if (faults.status == 403)
    return fail(exit_status::failed, text_at(faults.body, "error"));
  if (!faults.is_good())
    return fail(exit_status::failed, "the orchestrator does not answer: " + faults.problem);
  return {};
}

/// The threads of one run.
class fault_run {
public:
  fault_run(const fault_run_options& options, const job_maker& maker, bool has_faults)
    : options_(options), maker_(maker), has_faults_(has_faults) {
  }

  /// Strikes and submits; returns whether everything came to rest in time.
  bool work(patient_client& gateway, const first_state& first) {
    const auto give_up_ms = options_.plan.duration_ms + options_.plan.settle_ms;
    watcher eyes{options_.gateway, records, clock, has_faults_};
    submitter clients{options_.gateway,       records,          clock, maker_,
                      load_of(options_.plan), options_.run_name};
    std::thread watching{[&] { eyes.run(); }};
    std::thread submitting{[&] { clients.run(give_up_ms); }};
    std::thread supervising{[&] { supervise(); }};
    if (has_faults_)
      strike_all();
    clock.wait_until(options_.plan.duration_ms);
    options_.tell(at_now("faults are over; waiting until all is well again"));
    submitting.join();
    const auto is_settled = settle(gateway, first, records, clock, give_up_ms, has_faults_);
    took_ms = clock.now_ms();
    clock.stop();
    watching.join();
    supervising.join();
    return is_settled;
  }

  run_clock clock;
  recorder records{clock};
  std::int64_t took_ms = 0;

private:
  std::string at_now(const std::string& what) const {
    char time[32];
    std::snprintf(time, sizeof time, "%7.1f s  ", static_cast<double>(clock.now_ms()) / 1'000.0);
    return time + what;
  }

  void strike_all() {
    striker::callbacks tell;
    tell.tell = [this](const std::string& line) { options_.tell(at_now(line)); };
    tell.expect_end = [this](const std::string& name, std::int64_t after_ms) {
      if (options_.local != nullptr)
        options_.local->expect_end(name, after_ms);
    };
    striker{options_.gateway, records, clock, options_.plan, tell}.run();
  }

  void supervise() {
    while (options_.local != nullptr && clock.wait_for(supervision_pause_ms))
      options_.local->keep_running();
  }

  const fault_run_options& options_;
  const job_maker& maker_;
  const bool has_faults_;
};

}  // namespace

outcome<scenario::run_report> run_faults(const fault_run_options& options) {
  const auto has_faults = !options.is_workload_only && !options.plan.faults.empty();
  if (auto possible = check_plan(options); !possible)
    return tl::unexpected(possible.error());
  patient_client gateway{options.gateway};
  if (auto ready = check_gateway(gateway, has_faults); !ready)
    return tl::unexpected(ready.error());
  const auto models = gateway.get("/api/v1/models");
  if (!models.is_good())
    return fail(exit_status::failed, "could not read the models: " + models.problem);
  const auto maker = job_maker::make(options.plan.load, models.body);
  if (!maker)
    return tl::unexpected(maker.error());
  const auto first = read_first_state(gateway);
  if (!first)
    return tl::unexpected(first.error());
  fault_run run{options, *maker, has_faults};
  const auto is_settled = run.work(gateway, *first);
  auto seen = run.records.history();
  if (auto read = read_final_state(gateway, *first, seen); !read)
    return tl::unexpected(read.error());
  seen.paths = paths_of(seen);
  auto report = scenario::report_of(options.plan, seen);
  report.took_ms = run.took_ms;
  report.recovery_ms = recoveries_of(seen);
  if (auto outages = run.records.outages(); !outages.empty())
    report.recovery_ms["gateway answers again"] = std::move(outages);
  report.problems = run.records.problems();
  if (!is_settled)
    report.problems.push_back("the cluster did not come to rest within the time to settle");
  return report;
}

}  // namespace dim::tools
