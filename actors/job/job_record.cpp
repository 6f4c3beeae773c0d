#include "actors/job/job_record.hpp"

#include "runtime/enum_names.hpp"

namespace dim::actors {

namespace {

constexpr runtime::enum_names<5> pattern_names{"single", "replicated", "collaborative",
                                               "comparative", "chained"};
constexpr runtime::enum_names<6> state_names{"pending",   "scheduled", "running",
                                             "completed", "failed",    "cancelled"};
constexpr runtime::enum_names<4> comparison_names{"automatic", "exact", "tensor", "label"};
constexpr runtime::enum_names<5> reduction_names{"mean", "sum", "min", "max", "histogram"};
constexpr runtime::enum_names<4> aggregation_names{"weighted_mean", "mean", "median",
                                                   "trimmed_mean"};
constexpr runtime::enum_names<2> vote_names{"majority", "weighted"};

}  // namespace

std::string_view to_string(pattern value) noexcept {
  return runtime::name_of(pattern_names, value);
}

std::optional<pattern> pattern_from(std::string_view text) noexcept {
  return runtime::value_named<pattern>(pattern_names, text);
}

std::string_view to_string(job_state value) noexcept {
  return runtime::name_of(state_names, value);
}

std::optional<job_state> job_state_from(std::string_view text) noexcept {
  return runtime::value_named<job_state>(state_names, text);
}

std::string_view to_string(comparison value) noexcept {
  return runtime::name_of(comparison_names, value);
}

std::optional<comparison> comparison_from(std::string_view text) noexcept {
  return runtime::value_named<comparison>(comparison_names, text);
}

std::string_view to_string(reduction value) noexcept {
  return runtime::name_of(reduction_names, value);
}

std::optional<reduction> reduction_from(std::string_view text) noexcept {
  return runtime::value_named<reduction>(reduction_names, text);
}

std::string_view to_string(aggregation value) noexcept {
  return runtime::name_of(aggregation_names, value);
}

std::optional<aggregation> aggregation_from(std::string_view text) noexcept {
  return runtime::value_named<aggregation>(aggregation_names, text);
}

std::string_view to_string(vote_method value) noexcept {
  return runtime::name_of(vote_names, value);
}

std::optional<vote_method> vote_method_from(std::string_view text) noexcept {
  return runtime::value_named<vote_method>(vote_names, text);
}

}  // namespace dim::actors
