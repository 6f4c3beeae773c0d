#include <algorithm>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "tools/dim/array_view.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/job_progress.hpp"
#include "tools/dim/job_text.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/progress_bar.hpp"
#include "tools/dim/wait_length.hpp"

namespace dim::tools {

namespace {

/// Between two looks at a job's executions; the job's own end is seen at once.
constexpr std::uint32_t look_ms = 500;
/// Where nobody looks on.
constexpr std::uint32_t quiet_wait_ms = 30'000;

/// Tells of a job's progress: a bar on a terminal, else a line for each change on standard error,
/// so that standard output holds the job alone.
class progress_report {
public:
  explicit progress_report(session& with) : with_(with), bar_(with.io()) {
  }

  void show(const json& job, const json& executions) {
    const auto now = progress_of(job, executions);
    if (now.is_terminal()) {
      bar_.clear();
    } else if (with_.io().is_terminal) {
      bar_.draw(now.share(), now.text());
    } else if (!last_ || *last_ != now) {
      with_.io().err << now.text() << std::endl;
    }
    last_ = now;
  }

private:
  session& with_;
  progress_bar bar_;
  std::optional<job_progress> last_;
};

outcome<json> look(session& with, target where, std::uint32_t wait_ms = 0) {
  http_request request;
  if (wait_ms > 0)
    where.with("wait_ms", std::to_string(wait_ms));
  request.target = where.text();
  request.wait_ms = wait_ms;
  return with.send_patiently(request);
}

/// Asks until the job has ended. A server that answers sooner than it was asked to is not asked
/// again before that time is over.
outcome<json> await_end(session& with, const std::string& id) {
  progress_report progress{with};
  const auto where = target{"/api/v1/jobs"}.at(id);
  wait_length wait{with.is_json() ? quiet_wait_ms : look_ms};
  for (bool is_first = true;; is_first = false) {
    const auto asked_at = with.io().now();
    auto job = look(with, where, is_first ? 0 : wait.ms());
    if (!job && wait.is_shortened_by(job.error()))
      continue;
    if (!job || is_terminal_status(text_at(*job, "status")))
      return job;
    if (!with.is_json()) {
      const auto executions = look(with, target{where.text() + "/executions"});
      if (!executions)
        return executions;
      progress.show(*job, *executions);
    }
    const auto pause = std::chrono::milliseconds{std::max(wait.ms(), look_ms)};
    const auto rest = pause - (with.io().now() - asked_at);
    if (!is_first && rest.count() > 0)
      with.io().pause(std::chrono::duration_cast<std::chrono::milliseconds>(rest));
  }
}

/// Prints how a job has ended, or why nothing is known of it; returns the exit status.
int show_end(session& with, const outcome<json>& job) {
  if (!job)
    return report(with.io(), job.error());
  if (with.is_json())
    with.io().out << pretty(*job);
  else
    print_job(with.io(), *job, with.form());
  with.io().out << std::flush;
  const bool is_good = text_at(*job, "status") == "completed";
  return static_cast<int>(is_good ? exit_status::done : exit_status::failed);
}

/// Follows the job with this id, or the array where no job has it.
int follow(session& with, const std::string& id) {
  const auto job = await_end(with, id);
  if (job || !may_name_array(id, job.error()))
    return show_end(with, job);
  const auto array = look(with, target{"/api/v1/arrays"}.at(id));
  // Where there is neither, what was said of a job is the answer.
  if (!array && may_name_array(id, array.error()))
    return show_end(with, job);
  return follow_array(with, id);
}

}  // namespace

int follow_job(session& with, const std::string& id) {
  return show_end(with, await_end(with, id));
}

void add_watch(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("watch", "Follow a job, or an array of jobs, to its end");
  const auto id = std::make_shared<std::string>();
  added->add_option("id", *id, "The id of the job or array, or the beginning of it")
    ->required()
    ->check(not_empty());
  added->callback([id, &chosen] {
    chosen = [id](session& with) { return follow(with, *id); };
  });
}

}  // namespace dim::tools
