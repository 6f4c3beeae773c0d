#include <algorithm>
#include <chrono>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/array_view.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/display_text.hpp"
#include "tools/dim/job_progress.hpp"
#include "tools/dim/job_text.hpp"
#include "tools/dim/option_checks.hpp"
#include "tools/dim/wait_length.hpp"

namespace dim::tools {

namespace {

constexpr const char* id_help = "The id of the job or array, or the beginning of it";

struct list_wish {
  std::string status;
  std::string pattern;
  std::string array;
  std::uint32_t limit = 50;
  bool is_all = false;
};

/// The jobs of one page, or of all of them.
outcome<json> collect_jobs(session& with, const list_wish& wish) {
  auto jobs = json::array();
  std::string cursor;
  for (;;) {
    auto page = with.get(target{"/api/v1/jobs"}
                           .with("status", wish.status)
                           .with("pattern", wish.pattern)
                           .with("array", wish.array)
                           .with("limit", std::to_string(wish.limit))
                           .with("cursor", cursor));
    if (!page)
      return page;
    for (auto& job : list_at(*page, "jobs"))
      jobs.push_back(std::move(job));
    const auto next = text_at(*page, "next_cursor");
    // A cursor that stays would ask for the same page for ever.
    if (!wish.is_all || next.empty() || next == cursor)
      return json{{"jobs", std::move(jobs)}, {"next_cursor", member_of(*page, "next_cursor")}};
    cursor = next;
  }
}

int list(session& with, const list_wish& wish) {
  const auto answer = collect_jobs(with, wish);
  if (!answer)
    return report(with.io(), answer.error());
  auto& out = with.io().out;
  if (with.is_json()) {
    out << pretty(*answer);
    return 0;
  }
  print_jobs(with.io(), list_at(*answer, "jobs"), with.form());
  if (!wish.is_all && !text_at(*answer, "next_cursor").empty())
    with.io().err << "There are more: --all, or a larger --limit.\n";
  return 0;
}

struct get_wish {
  std::string id;
  std::uint32_t wait_ms = 0;
  bool has_executions = false;
  bool has_history = false;
  bool has_placement = false;
};

/// Waits in steps of what one request may wait at the most; itself where none may.
outcome<json> get_job(session& with, const get_wish& wish) {
  constexpr std::uint32_t step_ms = 30'000;
  constexpr std::uint32_t look_ms = 500;
  wait_length step{std::min(wish.wait_ms, step_ms)};
  for (auto left = wish.wait_ms;;) {
    const auto wait_ms = std::min(left, step.ms());
    auto job = ask_job_or_array(with, {}, wish.id, wait_ms);
    if (!job && step.is_shortened_by(job.error()))
      continue;
    if (!job || left == wait_ms || is_array_answer(*job)
        || is_terminal_status(text_at(*job, "status")))
      return job;
    const auto pause_ms = wait_ms > 0 ? 0 : std::min(left, look_ms);
    left -= wait_ms + pause_ms;
    if (pause_ms > 0)
      with.io().pause(std::chrono::milliseconds{pause_ms});
  }
}

/// The job, and under its name each of the further answers that were asked for.
outcome<json> get_with_parts(session& with, const get_wish& wish) {
  auto job = get_job(with, wish);
  if (!job)
    return job;
  const bool is_array = is_array_answer(*job);
  json result{{"job", std::move(*job)}};
  const std::pair<bool, const char*> parts[] = {{wish.has_executions, "executions"},
                                                {wish.has_history, "history"},
                                                {wish.has_placement, "placement"}};
  for (const auto& [is_wished, name] : parts) {
    if (!is_wished || is_array)
      continue;
    auto part = with.get(target{"/api/v1/jobs"}.at(wish.id).at(name));
    if (!part)
      return part;
    result[name] = std::move(*part);
  }
  return result;
}

int get(session& with, const get_wish& wish) {
  const auto answer = get_with_parts(with, wish);
  if (!answer)
    return report(with.io(), answer.error());
  auto& io = with.io();
  if (with.is_json()) {
    io.out << pretty(answer->size() == 1 ? member_of(*answer, "job") : *answer);
    return 0;
  }
  const auto& job = member_of(*answer, "job");
  if (is_array_answer(job)) {
    print_array(io, job, with.form());
    return 0;
  }
  print_job(io, job, with.form());
  const std::pair<const char*, void (*)(console&, const json&, const answer_form&)> parts[] = {
    {"executions", print_executions}, {"history", print_history}, {"placement", print_placement}};
  for (const auto& [name, print] : parts) {
    if (!answer->contains(name))
      continue;
    io.out << '\n';
    print(io, member_of(*answer, name), with.form());
  }
  return 0;
}

int cancel(session& with, const std::string& id) {
  http_request request;
  request.method = "DELETE";
  const auto answer = ask_job_or_array(with, std::move(request), id, 0);
  if (!answer)
    return report(with.io(), answer.error());
  if (with.is_json())
    with.io().out << pretty(*answer);
  else if (is_array_answer(*answer))
    with.io().out << cleaned(text_at(*answer, "array_id") + " " + array_text(*answer)) << '\n';
  else
    with.io().out << text_at(*answer, "id") << " " << text_at(*answer, "status") << '\n';
  return 0;
}

}  // namespace

void add_list(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("list", "List jobs, the newest first");
  const auto wish = std::make_shared<list_wish>();
  added
    ->add_option("--status", wish->status,
                 "pending, scheduled, running, completed, failed or cancelled")
    ->check(not_empty());
  added->add_option("--pattern", wish->pattern, "Only jobs of this pattern")->check(not_empty());
  added->add_option("--array", wish->array, "Only jobs of this array: its whole id")
    ->check(not_empty());
  added->add_option("--limit", wish->limit, "Jobs in one answer, 50 when not given");
  added->add_flag("--all", wish->is_all, "All of them, however many answers that takes");
  added->callback([wish, &chosen] {
    chosen = [wish](session& with) { return list(with, *wish); };
  });
}

void add_get(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("get", "Show one job with its result, or an array of jobs");
  const auto wish = std::make_shared<get_wish>();
  added->add_option("id", wish->id, id_help)->required()->check(not_empty());
  added->add_option("--wait-ms", wish->wait_ms, "Wait this long for its end");
  added->add_flag("--executions", wish->has_executions, "And every attempt");
  added->add_flag("--history", wish->has_history, "And all that happened to it");
  added->add_flag("--placement", wish->has_placement,
                  "And why each node was or was not chosen");
  added->callback([wish, &chosen] {
    chosen = [wish](session& with) { return get(with, *wish); };
  });
}

void add_cancel(CLI::App& app, command& chosen) {
  auto* added = app.add_subcommand("cancel", "Cancel a job, or what has not ended of an array");
  const auto id = std::make_shared<std::string>();
  added->add_option("id", *id, id_help)->required()->check(not_empty());
  added->callback([id, &chosen] {
    chosen = [id](session& with) { return cancel(with, *id); };
  });
}

}  // namespace dim::tools
