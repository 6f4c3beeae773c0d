#pragma once

#include <span>

#include "gateway/job_draft.hpp"
#include "gateway/json_reader.hpp"

namespace dim::gateway {

/// Every member that a submission may have, and how each is read into the draft.
std::span<const member_reader<job_draft>> job_members();

}  // namespace dim::gateway
