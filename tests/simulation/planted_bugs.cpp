#include "tests/simulation/planted_bugs.hpp"

#include <algorithm>

#include "tests/simulation/planted_commits.hpp"
#include "tests/simulation/planted_messages.hpp"

namespace dim::simulation {

namespace {

template <class Bug>
hooks_factory maker() {
  return [] { return std::make_unique<Bug>(); };
}

std::vector<planted_bug> make_bugs() {
  return {
    {"acknowledged_before_commit",
     "STORE answers before it writes, and a crash in between loses what was acknowledged.",
     {"acknowledged_job_ends", "acknowledged_job_unreadable", "terminal_state_is_final",
      "everything_settles"},
     maker<acknowledged_before_commit>()},
    {"commit_never_answered",
     "A commit is dropped, and whoever waits for it is never told.",
     {"everything_settles", "acknowledged_job_ends"},
     maker<commit_never_answered>()},
    {"terminal_state_overwritten",
     "The row of a completed job is written once more, as failed.",
     {"terminal_state_is_final", "acknowledged_job_ends", "completed_job_has_result"},
     maker<terminal_state_overwritten>()},
    {"terminal_state_lost",
     "The end of a job is told, and its row is not written.",
     {"terminal_state_is_final", "acknowledged_job_ends", "everything_settles"},
     maker<terminal_state_lost>()},
    {"event_number_skipped",
     "The counter of events jumps ahead.",
     {"event_numbers_have_no_gaps"},
     maker<event_number_skipped>()},
    {"loss_counted_on_each_look",
     "A node that is lost is punished again when it is looked at again.",
     {"lost_once_a_loss", "reputation_is_replayed"},
     maker<loss_counted_on_each_look>()},
    {"fence_removed",
     "The result of an execution that was given up as lost is stored.",
     {"fenced_changes_nothing", "execution_counts_once"},
     maker<fence_removed>()},
    {"idempotency_key_forgotten",
     "DISPATCHER does not look at the idempotency key.",
     {"one_job_per_key"},
     maker<idempotency_key_forgotten>()},
    {"replicas_placed_alone",
     "The replicas of a job are placed one by one, without a look at each other.",
     {"consensus_of_different_nodes"},
     maker<replicas_placed_alone>()},
    {"retry_on_the_same_node",
     "A retry does not avoid the nodes on which its place has failed.",
     {"retry_goes_elsewhere"},
     maker<retry_on_the_same_node>()},
    {"score_counted_twice",
     "REGISTRY counts what a node has earned twice.",
     {"execution_counts_once", "reputation_is_replayed"},
     maker<score_counted_twice>()},
    {"digest_not_checked",
     "SCHEDULER takes damaged outputs for good ones.",
     {"right_answer"},
     maker<digest_not_checked>()},
  };
}

}  // namespace

const std::vector<planted_bug>& planted_bugs() {
  static const auto bugs = make_bugs();
  return bugs;
}

const planted_bug* find_bug(const std::string& name) {
  const auto& bugs = planted_bugs();
  const auto found = std::find_if(bugs.begin(), bugs.end(),
                                  [&](const planted_bug& each) { return each.name == name; });
  return found == bugs.end() ? nullptr : &*found;
}

}  // namespace dim::simulation
