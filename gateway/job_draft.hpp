#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "actors/job/job_record.hpp"
#include "config/options.hpp"

namespace dim::gateway {

/// What a submission may ask for, and what it gets when it does not ask.
struct job_limits {
  std::uint64_t timeout_ms = 300'000;
  std::uint64_t timeout_ms_max = 7ull * 24 * 3'600'000;
  std::uint64_t hedge_after_ms = 0;
  std::uint32_t redundancy_max = 100;
  std::uint32_t steps_max = 64;
  std::uint32_t array_jobs_max = 1'000;
  actors::retry_choice retry;
  std::uint32_t tensor_rank_max = 32;
  std::uint32_t problems_max = 100;
};

/// The limits that follow from the options.
job_limits limits_from(const config::orchestrator_options& jobs,
                       const config::gateway_options& gateway);

/// Names of the members that were given, out of the tables that list them.
using member_names = std::set<std::string_view>;

struct vote_draft {
  member_names given;
  actors::vote_method method = actors::vote_method::majority;
  bool tie_abstains = false;
  std::vector<double> weights;
};

struct aggregate_draft {
  member_names given;
  actors::aggregation method = actors::aggregation::weighted_mean;
  double trim = 0.2;
};

struct reduce_draft {
  member_names given;
  actors::reduction method = actors::reduction::mean;
  std::uint32_t bins = 10;
  double low = 0.0;
  double high = 1.0;
};

struct nodes_draft {
  member_names given;
  actors::node_choice choice;
};

struct retry_draft {
  member_names given;
  actors::retry_choice choice;
};

/// A submission as its members say it, each in its own range, before the rules between the members
/// (`job_rules.hpp`) make a job of it. What is the same in a job stands in `spec` already.
struct job_draft {
  job_limits limits;
  member_names given;
  actors::job_spec spec;
  /// Empty when `pattern` names none.
  std::optional<actors::pattern> kind = actors::pattern::single;
  std::vector<actors::step_spec> model;
  std::vector<actors::step_spec> models;
  std::vector<actors::step_spec> steps;
  /// The inputs of each job of an array.
  std::vector<models::tensor_list> array;
  std::optional<std::uint32_t> redundancy;
  std::optional<std::uint32_t> consensus;
  vote_draft vote;
  aggregate_draft aggregate;
  reduce_draft reduce;
  nodes_draft nodes;
  retry_draft retry;
  /// The number of members that wait for command jobs.
  std::size_t unsupported = 0;
};

}  // namespace dim::gateway
