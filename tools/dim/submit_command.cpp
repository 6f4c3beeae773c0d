#include <chrono>
#include <memory>
#include <random>

#include <CLI/CLI.hpp>

#include "runtime/ids.hpp"
#include "tools/dim/array_view.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/submission.hpp"

namespace dim::tools {

namespace {

/// One for each invocation: however often the request is sent, it makes one job.
std::string idempotency_key() {
  std::random_device entropy;
  const auto seed = (static_cast<std::uint64_t>(entropy()) << 32) | entropy();
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return runtime::id_source{seed}.next(
    std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

int submit(session& with, const submission& wish, bool is_waiting) {
  auto body = submission_body(wish, with.io().in);
  if (!body)
    return report(with.io(), body.error());
  http_request request;
  request.method = "POST";
  request.target = target{"/api/v1/jobs"}.text();
  request.headers = {{"Content-Type", "application/json"},
                     {"Idempotency-Key", idempotency_key()}};
  request.body = std::move(*body);
  const auto answer = with.send_patiently(request);
  if (!answer)
    return report(with.io(), answer.error());
  const auto array_id = text_at(*answer, "array_id");
  const auto id = array_id.empty() ? text_at(*answer, "id") : array_id;
  if (is_waiting)
    return array_id.empty() ? follow_job(with, id) : follow_array(with, id);
  with.io().out << (with.is_json() ? pretty(*answer) : id + "\n") << std::flush;
  return static_cast<int>(exit_status::done);
}

void add_options(CLI::App& submit, submission& wish) {
  submit.add_option("file", wish.file, "The job as JSON; - is standard input");
  submit.add_option("--name", wish.name, "What people call it");
  submit.add_option("--description", wish.description, "What it is for");
  submit.add_option("--pattern", wish.pattern,
                    "single, replicated, collaborative, comparative or chained");
  submit.add_option("--model", wish.models, "MODEL[:VERSION]; several for comparative")
    ->allow_extra_args(false);
  submit.add_option("--step", wish.steps, "MODEL[:VERSION] of one step, in order (chained)")
    ->allow_extra_args(false);
  submit.add_option("--input", wish.inputs,
                    "NAME:DATATYPE:SHAPE=VALUES, such as x:FP32:1x3=0.5,1,2; "
                    "=@FILE.json reads the values, and NAME=@FILE.npy a NumPy array")
    ->allow_extra_args(false);
  submit.add_option("--cabinet", wish.cabinet, "The nodes' own data to run on (collaborative)");
  submit.add_option("--redundancy", wish.redundancy, "Nodes that answer (replicated)");
  submit.add_option("--consensus", wish.consensus, "Nodes that must agree (replicated)");
  submit.add_option("--compare", wish.compare, "automatic, exact, tensor or label (replicated)");
  submit.add_option("--aggregate", wish.aggregate,
                    "Over nodes: weighted_mean, mean, median, trimmed_mean (collaborative)");
  submit.add_option("--reduce", wish.reduce,
                    "Over a node's rows: mean, sum, min, max, histogram (collaborative)");
  submit.add_option("--vote", wish.vote, "majority or weighted (comparative)");
  submit.add_option("--priority", wish.priority, "0 (lowest) to 9");
  submit.add_option("--timeout-ms", wish.timeout_ms, "From its admission to its end");
  submit.add_option("--hedge-after-ms", wish.hedge_after_ms,
                    "Run an execution a second time, elsewhere, when it takes longer");
}

}  // namespace

void add_submit(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand(
    "submit", "Submit a job, or an array of jobs: a file, or flags, or both");
  const auto wish = std::make_shared<submission>();
  const auto is_waiting = std::make_shared<bool>(false);
  add_options(*added, *wish);
  added->add_flag("--wait", *is_waiting, "Follow the job to its end and print it");
  added->callback([wish, is_waiting, &chosen] {
    chosen = [wish, is_waiting](session& with) { return submit(with, *wish, *is_waiting); };
  });
}

}  // namespace dim::tools
