#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "actors/engine/place.hpp"
#include "actors/job/job_record.hpp"
#include "runtime/errors.hpp"
#include "runtime/random_source.hpp"

/// Whether, when and where a failed execution is tried again. Pure: no actor, no clock.
namespace dim::actors {

/// Refusals that one place takes before they end it: of a full node (`overloaded`, which may be
/// asked again), or of one that drains (`unavailable`). They are no attempts: nothing has run.
inline constexpr std::uint32_t refusals_max = 10;

/// Another attempt, `delay_ms` from now.
struct next_attempt {
  std::uint32_t attempt = 1;
  std::uint64_t delay_ms = 0;

  bool operator==(const next_attempt&) const = default;
};

/// What follows a failure: another attempt, or the failure that ends the place.
using attempt_decision = std::variant<next_attempt, runtime::failure>;

/// How one execution failed.
struct failed_attempt {
  /// Empty when no node was found.
  std::string node_id;
  runtime::failure error;
  /// Its input killed the agent while it ran alone.
  bool killed_agent = false;
  /// Which attempt it was, from 1.
  std::uint32_t number = 1;
};

/// Counts the attempts of every place of one job.
///
///   open --failed, may heal--> back-off --> next attempt --> ...
///        \--failed, can not heal, or too often--> ended
///
/// Errors that can not heal end a place at once. Others are tried again, `attempts_max` times in
/// all, after a pause that doubles from `backoff_ms` to `backoff_max_ms` and is then cut by up to
/// half at random (from `seed`), so that jobs which failed together do not come back together.
class attempts {
public:
  attempts(const retry_choice& rules, std::uint64_t seed);

  /// Opens a place for its first attempt. A place that was open before starts with a new budget,
  /// but its executions are numbered on. `shared_input`: all places of this step run the same
  /// input, so that agents which it has killed count together.
  void open(place_id place, retry_place where, bool shared_input);

  /// The number of a new execution at this place: the first one has 1, each other one the next.
  std::uint32_t take_number(place_id place);

  /// The number that `take_number` would return.
  std::uint32_t next_number(place_id place) const;

  /// An earlier engine has given out the numbers up to `number`.
  void skip_numbers(place_id place, std::uint32_t number);

  /// Nodes that should not try this place again.
  std::set<std::string> avoided_for(place_id place) const;

  /// Decides after the failure of an attempt. An input that has killed agents on two nodes
  /// ends as `poison_input`. Where a place ends after several attempts, the details of the failure
  /// tell of each.
  attempt_decision failed(place_id place, const failed_attempt& what);

  /// Notes a failure beside which another execution of the place goes on: it decides nothing, but
  /// for an input that has now killed agents on two nodes.
  std::optional<runtime::failure> failed_beside(place_id place, const failed_attempt& what);

private:
  struct tally {
    retry_place where = retry_place::other_node;
    bool shared_input = true;
    /// The highest number of an execution.
    std::uint32_t last_number = 0;
    std::uint32_t failures = 0;
    std::uint32_t refusals = 0;
    std::set<std::string> avoided;
    std::vector<std::string> history;
  };

  /// The nodes whose agents the input of this place has killed.
  std::set<std::string>& killed_by(place_id place, const tally& counts);
  /// Notes the failure of an attempt, and whether the input is judged by it.
  std::optional<runtime::failure> note(place_id place, tally& counts, const failed_attempt& what);
  bool is_over(const tally& counts, runtime::error_code code) const;
  std::uint64_t pause_after(std::uint32_t tries);

  retry_choice rules_;
  runtime::random_source random_;
  std::map<place_id, tally> tallies_;
  std::map<place_id, std::set<std::string>> killed_;
};

}  // namespace dim::actors
