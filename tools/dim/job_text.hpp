#pragma once

#include "tools/dim/console.hpp"
#include "tools/dim/json_fields.hpp"
#include "tools/dim/session.hpp"

/// Jobs and what belongs to them, for people.
namespace dim::tools {

/// A page of jobs as a table.
void print_jobs(console& io, const std::vector<json>& jobs, const answer_form& form);

/// One job with its result.
void print_job(console& io, const json& job, const answer_form& form);

void print_executions(console& io, const json& answer, const answer_form& form);
void print_history(console& io, const json& answer, const answer_form& form);
void print_placement(console& io, const json& answer, const answer_form& form);

}  // namespace dim::tools
