#include "gateway/job_json_reader.hpp"

#include "gateway/job_members.hpp"
#include "gateway/job_rules.hpp"
#include "gateway/json_reader.hpp"

namespace dim::gateway {

namespace {

runtime::failure failure_of(problem_list& problems, std::size_t unsupported) {
  auto count = problems.count();
  auto is_unsupported = count == unsupported;
  auto what = "the job has " + std::to_string(count) + (count == 1 ? " problem" : " problems");
  return {is_unsupported ? runtime::error_code::unsupported : runtime::error_code::bad_input,
          std::move(what), problems.take()};
}

}  // namespace

runtime::expected<job_submission> read_job(const runtime::bytes& body, const job_limits& limits) {
  problem_list problems{limits.problems_max};
  json_reader reader{problems};
  job_draft draft;
  draft.limits = limits;
  reader.read_document(body, job_members(), draft);
  auto unsupported = draft.unsupported;
  job_submission submission;
  if (!reader.is_broken()) {
    submission.array = std::move(draft.array);
    submission.spec = apply_job_rules(std::move(draft), problems);
  }
  if (!problems.empty())
    return tl::unexpected<runtime::failure>(failure_of(problems, unsupported));
  return submission;
}

}  // namespace dim::gateway
