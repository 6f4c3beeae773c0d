#include "tools/dim/array_view.hpp"

#include <algorithm>
#include <chrono>

#include "tools/dim/display_text.hpp"
#include "tools/dim/job_progress.hpp"
#include "tools/dim/progress_bar.hpp"
#include "tools/dim/table.hpp"

namespace dim::tools {

namespace {

/// Between two looks at an array.
constexpr std::chrono::milliseconds look_pause{500};

std::vector<std::string> ids_of(const std::vector<json>& jobs, bool is_full) {
  std::vector<std::string> ids;
  for (const auto& job : jobs)
    ids.push_back(text_at(job, "id"));
  return is_full ? ids : shortened(ids);
}

std::string error_of(const json& job) {
  const auto& error = member_of(job, "error");
  if (!error.is_object())
    return "";
  return text_at(error, "code") + ": " + text_at(error, "message");
}

/// The share of its jobs that have ended, 0 to 1.
double ended_share(const json& array) {
  std::int64_t ended = 0;
  for (const auto& [status, count] : member_of(array, "counts").items())
    if (count.is_number() && is_terminal_status(status))
      ended += count.get<std::int64_t>();
  return static_cast<double>(ended)
         / static_cast<double>(std::max<std::int64_t>(number_at(array, "size"), 1));
}

int show_array_end(session& with, const json& array) {
  if (with.is_json())
    with.io().out << pretty(array);
  else
    print_array(with.io(), array, with.form());
  with.io().out << std::flush;
  const bool is_good = text_at(array, "status") == "completed";
  return static_cast<int>(is_good ? exit_status::done : exit_status::failed);
}

}  // namespace

bool may_name_array(const std::string& id, const command_failure& why) {
  return why.code == "not_found" || (id.size() >= id_length_min && names_field(why, "id"));
}

outcome<json> ask_job_or_array(session& with, http_request request, const std::string& id,
                               std::uint32_t wait_ms) {
  request.target = target{"/api/v1/jobs"}
                     .at(id)
                     .with("wait_ms", wait_ms > 0 ? std::to_string(wait_ms) : "")
                     .text();
  request.wait_ms = wait_ms;
  auto job = with.send(request);
  if (job || !may_name_array(id, job.error())
      || (request.method != "GET" && job.error().code != "not_found"))
    return job;
  request.target = target{"/api/v1/arrays"}.at(id).text();
  auto array = with.send(request);
  // Where there is neither, what was said of a job is the answer.
  return array || !may_name_array(id, array.error()) ? array : job;
}

bool is_array_answer(const json& answer) {
  return member_of(answer, "counts").is_object();
}

std::string array_text(const json& array) {
  std::string counts;
  for (const auto& [status, count] : member_of(array, "counts").items())
    if (count.is_number() && count.get<std::int64_t>() > 0)
      counts += (counts.empty() ? "" : ", ") + text_of(count) + " " + status;
  return text_at(array, "status") + ": " + counts;
}

void print_array(console& io, const json& array, const answer_form& form) {
  const auto jobs = list_at(array, "jobs");
  const auto ids = ids_of(jobs, form.is_full);
  io.out << cleaned(text_at(array, "array_id") + "  " + array_text(array)) << "\n\n";
  table shown{{{"INDEX", false, true}, {"JOB"}, {"STATUS"}, {"ERROR", true}}};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto status = text_at(jobs[i], "status");
    shown.add({text_at(jobs[i], "array_index"), ids[i], {status, colour_of(status)},
               {error_of(jobs[i]), colour::red}});
  }
  shown.print(io, form.is_full);
}

int follow_array(session& with, const std::string& id) {
  http_request request;
  request.target = target{"/api/v1/arrays"}.at(id).text();
  std::string last;
  progress_bar bar{with.io()};
  for (;;) {
    const auto array = with.send_patiently(request);
    if (!array)
      return report(with.io(), array.error());
    if (is_terminal_status(text_at(*array, "status"))) {
      bar.clear();
      return show_array_end(with, *array);
    }
    const auto now = array_text(*array);
    if (!with.is_json() && with.io().is_terminal)
      bar.draw(ended_share(*array), cleaned(now));
    else if (!with.is_json() && now != last)
      with.io().err << cleaned(now) << std::endl;
    last = now;
    with.io().pause(look_pause);
  }
}

}  // namespace dim::tools
