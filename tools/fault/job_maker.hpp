#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tools/dim/json_fields.hpp"
#include "tools/dim/outcome.hpp"
#include "tools/scenario/scenario.hpp"

namespace dim::tools {

/// Makes the jobs of a workload from the models that a cluster has.
class job_maker {
public:
  /// `models` is the answer of `GET /api/v1/models`. Where the plan names no models, those of
  /// `sample-models` are used: digits for all patterns but collaborative, which takes the model
  /// "risk" over the cabinet "patients". Otherwise single and replicated jobs take the plan's
  /// models in turn, comparative ones all of them, chained ones all of them one after the other.
  /// Errors: failed, with everything that the cluster lacks; usage (collaborative with models of
  /// its own, which would need a cabinet too).
  static outcome<job_maker> make(const scenario::workload& load, const json& models);

  /// The body of a submission.
  std::string body(const std::string& pattern, const std::string& name, std::uint64_t seed) const;

private:
  json inputs_of(const std::string& model, std::uint64_t seed) const;

  /// Entries of the catalogue, by name.
  std::map<std::string, json> catalogue_;
  std::map<std::string, std::vector<std::string>> models_of_;
  std::uint64_t timeout_ms_ = 0;
};

}  // namespace dim::tools
