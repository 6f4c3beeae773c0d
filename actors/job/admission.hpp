#pragma once

#include <string>
#include <vector>

#include "actors/job/job_record.hpp"
#include "actors/store/model_messages.hpp"

/// The last checks of a submission, which need the catalogue. Pure.
namespace dim::actors {

/// Writes each step's version and digest from the catalogue's entries, one a step in order, and
/// returns what is wrong with the inputs, each as "inputs[0].shape[1]: expected 64, got 63":
/// - single and replicated: the inputs must fit the model;
/// - comparative: they must fit every model;
/// - chained: they must fit the first step, and every step's inputs must be fed by the step before;
/// - collaborative: the model must have a batch dimension; the cabinet's columns are checked by the
///   nodes that hold it.
std::vector<std::string> complete_spec(job_spec& spec, const std::vector<model_entry>& entries);

/// The same for jobs that are alike but for their inputs. What is wrong with one job's inputs is
/// returned as "array[3].inputs[0].shape[1]: ...", what is wrong with all of them once; at most
/// 100 problems. `spec.inputs` is left empty.
std::vector<std::string> complete_array(job_spec& spec,
                                        const std::vector<models::tensor_list>& array,
                                        const std::vector<model_entry>& entries);

}  // namespace dim::actors
