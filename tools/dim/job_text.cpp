#include "tools/dim/job_text.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "tools/dim/display_text.hpp"
#include "tools/dim/table.hpp"
#include "tools/dim/tensor_text.hpp"

namespace dim::tools {

namespace {

/// From start (or submission) to the end; "" while there is none.
std::string time_taken(const json& x) {
  const auto end = milliseconds_of(text_at(x, "completed_at"));
  const auto started = milliseconds_of(text_at(x, "started_at"));
  const auto begin = started != 0 ? started : milliseconds_of(text_at(x, "submitted_at"));
  return begin == 0 || end == 0 ? "" : duration_text(std::max<std::int64_t>(end - begin, 0));
}

std::string error_of(const json& x) {
  const auto& error = member_of(x, "error");
  const auto code = error.is_object() ? text_at(error, "code") : text_at(x, "error_code");
  const auto message = error.is_object() ? text_at(error, "message") : text_at(x, "error_message");
  return code.empty() || message.empty() ? code + message : code + ": " + message;
}

std::string joined(const std::vector<json>& texts) {
  std::string result;
  for (const auto& x : texts)
    result += (result.empty() ? "" : ", ") + text_of(x);
  return result;
}

/// "label     value", nothing for an empty value.
void print_line(console& io, std::string label, const std::string& value,
                colour paint = colour::none) {
  if (value.empty())
    return;
  label.resize(std::max<std::size_t>(label.size() + 1, 12), ' ');
  io.out << painted(io, colour::grey, label) << painted(io, paint, cleaned(value)) << '\n';
}

std::vector<std::string> ids_of(const std::vector<json>& rows, const char* key, bool is_full) {
  std::vector<std::string> ids;
  for (const auto& row : rows)
    ids.push_back(text_at(row, key));
  return is_full ? ids : shortened(ids);
}

std::string percent(const json& ratio) {
  if (!ratio.is_number())
    return "";
  return std::to_string(std::lround(ratio.get<double>() * 100)) + " %";
}

void print_verification(console& io, const json& verified) {
  if (!verified.is_object())
    return;
  print_line(io, "votes",
             text_at(verified, "votes") + ", " + text_at(verified, "agree") + " agree, "
               + text_at(verified, "disagree") + " disagree (" + text_at(verified, "method")
               + "), consensus " + (text_at(verified, "reached") == "yes" ? "reached" : "missed"));
  print_line(io, "disagreeing", joined(list_at(verified, "disagreeing_nodes")), colour::red);
}

void print_participants(console& io, const json& result, const answer_form& form) {
  const auto participants = list_at(result, "participants");
  if (participants.empty())
    return;
  const auto nodes = ids_of(participants, "node_id", form.is_full);
  table shown{{{"MODEL"}, {"NODE"}, {"LABEL"}, {"WEIGHT", false, true}, {"ROWS", false, true},
               {"ERROR", true}}};
  for (std::size_t i = 0; i < participants.size(); ++i) {
    const auto& x = participants[i];
    const auto version = text_at(x, "version");
    shown.add({text_at(x, "model") + (version.empty() ? "" : ":" + version), nodes[i],
               text_at(x, "label"), tensor_number(member_of(x, "weight")), text_at(x, "rows"),
               {error_of(x), colour::red}});
  }
  io.out << '\n';
  shown.print(io, form.is_full);
}

void print_result(console& io, const json& job, const answer_form& form) {
  const auto& result = member_of(job, "result");
  if (!result.is_object())
    return;
  if (text_at(result, "partial") == "yes")
    print_line(io, "partial", "missing: " + joined(list_at(result, "missing")), colour::yellow);
  print_line(io, "label", text_at(result, "label"), colour::green);
  if (text_at(job, "pattern") == "comparative")
    print_line(io, "agreement", percent(member_of(result, "agreement_ratio")));
  if (number_at(result, "rows") > 0)
    print_line(io, "rows", text_at(result, "rows"));
  print_verification(io, member_of(result, "verification"));
  print_line(io, "digest", text_at(result, "digest"));
  for (const auto& tensor : list_at(result, "outputs"))
    print_line(io, "output", tensor_text(tensor, form.is_full));
  print_participants(io, result, form);
}

/// The models as they were asked for, in order.
std::string models_of(const json& job) {
  const auto single = text_at(job, "model");
  return single.empty() ? joined(list_at(job, "models")) : single;
}

/// A job's place in its plan: "0", or "1.0" with the step before the slot.
std::string place_of(const json& x, bool has_steps) {
  return has_steps ? text_at(x, "step") + "." + text_at(x, "slot") : text_at(x, "slot");
}

bool has_steps(const std::vector<json>& rows) {
  return std::any_of(rows.begin(), rows.end(),
                     [](const json& x) { return number_at(x, "step") > 0; });
}

void print_logs(console& io, const std::vector<json>& executions) {
  for (const auto& x : executions) {
    std::istringstream logs{text_at(x, "logs")};
    std::string line;
    if (logs.str().empty())
      continue;
    io.out << "\nlogs of " << cleaned(text_at(x, "id")) << '\n';
    while (std::getline(logs, line))
      io.out << "  " << cleaned(line) << '\n';
  }
}

}  // namespace

void print_jobs(console& io, const std::vector<json>& jobs, const answer_form& form) {
  const auto ids = ids_of(jobs, "id", form.is_full);
  table shown{{{"ID"}, {"NAME", true}, {"PATTERN"}, {"STATUS"}, {"SUBMITTED (UTC)"},
               {"TOOK", false, true}, {"ERROR", true}}};
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const auto& job = jobs[i];
    const auto status = text_at(job, "status");
    shown.add({ids[i], text_at(job, "name"), text_at(job, "pattern"),
               {status, colour_of(status)}, time_text(text_at(job, "submitted_at")),
               time_taken(job), {error_of(job), colour::red}});
  }
  shown.print(io, form.is_full);
}

void print_job(console& io, const json& job, const answer_form& form) {
  const auto status = text_at(job, "status");
  print_line(io, "id", text_at(job, "id"));
  print_line(io, "name", text_at(job, "name"));
  print_line(io, "pattern", text_at(job, "pattern"));
  print_line(io, "models", models_of(job));
  print_line(io, "cabinet", text_at(job, "cabinet"));
  print_line(io, "status", status, colour_of(status));
  print_line(io, "submitted", time_text(text_at(job, "submitted_at")));
  print_line(io, "took", time_taken(job));
  print_line(io, "error", error_of(job), colour::red);
  for (const auto& detail : list_at(member_of(job, "error"), "details"))
    print_line(io, "", text_of(detail));
  print_result(io, job, form);
}

void print_executions(console& io, const json& answer, const answer_form& form) {
  const auto rows = list_at(answer, "executions");
  const auto ids = ids_of(rows, "id", form.is_full);
  const auto nodes = ids_of(rows, "node_id", form.is_full);
  const bool with_steps = has_steps(rows);
  table shown{{{"EXECUTION"}, {"NODE"}, {"MODEL", true}, {"PLACE"}, {"TRY", false, true},
               {"STATUS"}, {"TOOK", false, true}, {"VERDICT"}, {"ERROR", true}}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& x = rows[i];
    const auto status = text_at(x, "status");
    const auto verdict = text_at(x, "verdict");
    shown.add({ids[i], nodes[i], text_at(x, "model") + ":" + text_at(x, "version"),
               place_of(x, with_steps), text_at(x, "attempt"), {status, colour_of(status)},
               time_taken(x), {verdict, colour_of(verdict)}, {error_of(x), colour::red}});
  }
  shown.print(io, form.is_full);
  if (form.is_full)
    print_logs(io, rows);
}

void print_history(console& io, const json& answer, const answer_form& form) {
  const auto rows = list_at(answer, "events");
  const auto nodes = ids_of(rows, "node_id", form.is_full);
  const auto executions = ids_of(rows, "execution_id", form.is_full);
  table shown{{{"NUMBER", false, true}, {"AT (UTC)"}, {"EVENT"}, {"NODE"}, {"EXECUTION"},
               {"DETAIL", true}}};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& x = rows[i];
    shown.add({text_at(x, "number"), time_text(text_at(x, "at"), true), text_at(x, "kind"),
               nodes[i], executions[i], text_at(x, "detail")});
  }
  shown.print(io, form.is_full);
}

void print_placement(console& io, const json& answer, const answer_form& form) {
  table shown{{{"EXECUTION"}, {"NODE", true}, {"CHOSEN"}, {"SCORE", false, true},
               {"REPUTATION", false, true}, {"FREE", false, true}, {"CACHE", false, true},
               {"REFUSED BECAUSE", true}}};
  const auto placements = list_at(answer, "placements");
  const auto ids = ids_of(placements, "execution_id", form.is_full);
  for (std::size_t i = 0; i < placements.size(); ++i) {
    for (const auto& x : list_at(placements[i], "candidates")) {
      const bool is_chosen = text_at(x, "chosen") == "yes";
      const auto name = text_at(x, "node_name");
      const auto id = text_at(x, "node_id");
      shown.add({ids[i], name.empty() ? id : name,
                 {is_chosen ? "yes" : "", colour::green}, tensor_number(member_of(x, "score")),
                 tensor_number(member_of(x, "reputation_term")),
                 tensor_number(member_of(x, "free_share_term")),
                 tensor_number(member_of(x, "cache_term")), text_at(x, "refusal")});
    }
  }
  shown.print(io, form.is_full);
}

}  // namespace dim::tools
