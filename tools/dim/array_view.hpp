#pragma once

#include <string>

#include "tools/dim/session.hpp"

/// Arrays of jobs: one submission, many jobs that are alike but for their inputs.
namespace dim::tools {

/// Whether the beginning of an id, which names no job for this reason, may be that of an array's:
/// no job's id begins so, or several do, because an array and its jobs are of one millisecond and
/// share what is shown of their ids.
bool may_name_array(const std::string& id, const command_failure& why);

/// What has this id below `/api/v1/jobs`, or below `/api/v1/arrays` where that is no job: a person
/// has one id and need not know what it names. Only a read takes an array whose jobs' ids begin so,
/// too. `request.target` is left out.
outcome<json> ask_job_or_array(session& with, http_request request, const std::string& id,
                               std::uint32_t wait_ms);

/// Whether `answer` is an array and not a job.
bool is_array_answer(const json& answer);

/// "running: 7 completed, 1 failed, 2 running".
std::string array_text(const json& array);

/// An array and its jobs as a table.
void print_array(console& io, const json& array, const answer_form& form);

/// Follows an array until its last job has ended, with a bar on a terminal and a line for each
/// change elsewhere, and prints it; returns the exit status that its
/// end stands for.
int follow_array(session& with, const std::string& id);

}  // namespace dim::tools
