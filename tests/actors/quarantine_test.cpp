#include "actors/cluster/quarantine.hpp"

#include <doctest/doctest.h>

using namespace dim;
using namespace dim::actors;
using runtime::error_code;

namespace {

const config::registry_options rules{3, 3, 5'000, 60'000, 10'000};

execution_outcome outcome_of(error_code code) {
  return {code, "digits", "2"};
}

quarantine_record quarantined() {
  quarantine_record record;
  begin_quarantine(record, false, "it failed", 7);
  return record;
}

}  // namespace

TEST_CASE("only failures that tell of the node count against it") {
  for (auto code : {error_code::agent_lost, error_code::agent_timeout, error_code::memory_limit,
                    error_code::corrupt, error_code::store_full, error_code::internal})
    CHECK_MESSAGE(tells_of_node(code), to_string(code));
  for (auto code :
       {error_code::none, error_code::bad_input, error_code::model_not_found, error_code::bad_model,
        error_code::cancelled, error_code::timeout, error_code::expired, error_code::overloaded,
        error_code::unavailable, error_code::no_nodes, error_code::no_consensus,
        error_code::poison_input, error_code::node_lost})
    CHECK_MESSAGE(!tells_of_node(code), to_string(code));
}

TEST_CASE("the third failure in a row begins quarantine, with the model that failed last") {
  quarantine_record record;
  CHECK_FALSE(note_outcome(record, outcome_of(error_code::agent_lost), rules));
  CHECK_FALSE(note_outcome(record, outcome_of(error_code::corrupt), rules));
  CHECK(note_outcome(record, outcome_of(error_code::memory_limit), rules));
  CHECK(record.failures_in_a_row == 3);
  CHECK(record.model == "digits");
  CHECK(record.version == "2");
}

TEST_CASE("a success ends a row of failures, a failure of the request does not") {
  quarantine_record record;
  note_outcome(record, outcome_of(error_code::agent_lost), rules);
  note_outcome(record, outcome_of(error_code::agent_lost), rules);
  CHECK_FALSE(note_outcome(record, outcome_of(error_code::none), rules));
  CHECK(record.failures_in_a_row == 0);
  note_outcome(record, outcome_of(error_code::agent_lost), rules);
  note_outcome(record, outcome_of(error_code::bad_input), rules);
  note_outcome(record, outcome_of(error_code::agent_lost), rules);
  CHECK(note_outcome(record, outcome_of(error_code::agent_lost), rules));
}

TEST_CASE("what runs on in quarantine does not count, and a limit of 0 never quarantines") {
  auto record = quarantined();
  for (int count = 0; count < 5; ++count)
    CHECK_FALSE(note_outcome(record, outcome_of(error_code::agent_lost), rules));
  CHECK(record.failures_in_a_row == 0);
  auto never = rules;
  never.quarantine_failures = 0;
  quarantine_record other;
  for (int count = 0; count < 50; ++count)
    CHECK_FALSE(note_outcome(other, outcome_of(error_code::agent_lost), never));
}

TEST_CASE("three good probes in a row release a node, and a bad one starts the count anew") {
  auto record = quarantined();
  CHECK_FALSE(note_probe(record, probe_verdict::good, rules));
  CHECK_FALSE(note_probe(record, probe_verdict::good, rules));
  CHECK_FALSE(note_probe(record, probe_verdict::bad, rules));
  CHECK(record.probes_good == 0);
  CHECK_FALSE(note_probe(record, probe_verdict::good, rules));
  CHECK_FALSE(note_probe(record, probe_verdict::none, rules));
  CHECK_FALSE(note_probe(record, probe_verdict::good, rules));
  CHECK(note_probe(record, probe_verdict::good, rules));
}

TEST_CASE("bad probes double the pause up to its limit, and a good one brings it back") {
  auto record = quarantined();
  CHECK(probe_pause_ms(record, rules) == 5'000);
  note_probe(record, probe_verdict::bad, rules);
  CHECK(probe_pause_ms(record, rules) == 10'000);
  for (int count = 0; count < 100; ++count)
    note_probe(record, probe_verdict::bad, rules);
  CHECK(probe_pause_ms(record, rules) == 60'000);
  note_probe(record, probe_verdict::good, rules);
  CHECK(probe_pause_ms(record, rules) == 5'000);
}

TEST_CASE("a probe is good when the forward ran, and says nothing when there was no model") {
  CHECK(verdict_of(error_code::none) == probe_verdict::good);
  CHECK(verdict_of(error_code::bad_input) == probe_verdict::good);
  CHECK(verdict_of(error_code::model_not_found) == probe_verdict::none);
  for (auto code : {error_code::agent_lost, error_code::timeout, error_code::corrupt,
                    error_code::overloaded, error_code::expired, error_code::internal})
    CHECK_MESSAGE(verdict_of(code) == probe_verdict::bad, to_string(code));
}

TEST_CASE("the end of quarantine leaves no count behind") {
  auto record = quarantined();
  note_probe(record, probe_verdict::bad, rules);
  end_quarantine(record);
  CHECK(record == quarantine_record{});
}

TEST_CASE("no id of a job's execution is taken for a probe") {
  CHECK(is_probe("probe-7-1"));
  CHECK_FALSE(is_probe("0190a0a0-0000-7000-8000-000000000001"));
  CHECK_FALSE(is_probe(""));
}
