#include "tools/scenario/promises.hpp"

#include "runtime/enum_names.hpp"

namespace dim::scenario {

namespace {

constexpr runtime::enum_names<14> names{"acknowledged_job_ends",
                                        "terminal_state_is_final",
                                        "completed_job_has_result",
                                        "one_job_per_key",
                                        "execution_counts_once",
                                        "fenced_changes_nothing",
                                        "retry_goes_elsewhere",
                                        "consensus_of_different_nodes",
                                        "reputation_is_replayed",
                                        "lost_once_a_loss",
                                        "event_numbers_have_no_gaps",
                                        "limits_are_kept",
                                        "baselines_are_restored",
                                        "nodes_are_members"};

constexpr runtime::enum_names<14> sentences{
  "Every acknowledged job reaches exactly one terminal state.",
  "A terminal state never changes.",
  "A job has a result when it is completed, and only then.",
  "An idempotency key makes one job.",
  "An execution ends once, is scored once, and is the only answer of its place.",
  "What was given up as lost changes nothing afterwards.",
  "A retry runs on another node than those on which its place has failed, if another fits.",
  "A completed replicated job has its consensus from that many different nodes.",
  "Every node's reputation is the replay of the event log.",
  "A node is lost, and punished for it, at most once before it joins again.",
  "The numbers of events have no gaps.",
  "Queues and resources stay within their limits.",
  "Queues, timers and promises are back where they were before the load.",
  "Every node that is meant to run is a member at the end."};

}  // namespace

std::string_view to_string(promise value) noexcept {
  return runtime::name_of(names, value);
}

std::string_view sentence_of(promise value) noexcept {
  return runtime::name_of(sentences, value);
}

}  // namespace dim::scenario
