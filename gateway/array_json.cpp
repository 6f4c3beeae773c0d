#include "gateway/array_json.hpp"

#include <array>

namespace dim::gateway {

namespace {

using actors::job_state;

constexpr std::size_t state_count = static_cast<std::size_t>(last_value(job_state{})) + 1;

/// The number of jobs in each state, by state.
using state_counts = std::array<std::size_t, state_count>;

state_counts count_states(const actors::array_view& array) {
  state_counts counts{};
  for (auto& each : array.elements)
    ++counts[static_cast<std::size_t>(each.state)];
  return counts;
}

job_state state_of(const state_counts& counts, std::size_t size) {
  auto count = [&](job_state state) { return counts[static_cast<std::size_t>(state)]; };
  if (count(job_state::pending) == size)
    return job_state::pending;
  auto unfinished = count(job_state::pending) + count(job_state::scheduled)
                    + count(job_state::running);
  if (unfinished > 0)
    return job_state::running;
  if (count(job_state::failed) > 0)
    return job_state::failed;
  return count(job_state::cancelled) > 0 ? job_state::cancelled : job_state::completed;
}

void write_error(json_writer& out, const runtime::failure& error) {
  out.key("error");
  if (error.code == runtime::error_code::none) {
    out.null();
    return;
  }
  out.begin_object();
  out.member("code", runtime::to_string(error.code));
  out.member("message", error.message.empty() ? runtime::sentence_of(error.code) : error.message);
  out.end_object();
}

}  // namespace

void write_new_array(json_writer& out, const actors::submit_result& made) {
  out.begin_object();
  out.member("array_id", made.array_id);
  out.member("status", to_string(made.state));
  out.member("jobs", made.job_ids);
  out.end_object();
}

void write_array(json_writer& out, const actors::array_view& array) {
  auto counts = count_states(array);
  out.begin_object();
  out.member("array_id", array.id);
  out.member("status", to_string(state_of(counts, array.elements.size())));
  out.member("size", array.elements.size());
  out.key("counts");
  out.begin_object();
  for (std::size_t state = 0; state < state_count; ++state)
    out.member(to_string(static_cast<job_state>(state)), counts[state]);
  out.end_object();
  out.key("jobs");
  out.begin_array();
  for (auto& each : array.elements) {
    out.begin_object();
    out.member("id", each.job_id);
    out.member("array_index", each.index);
    out.member("status", to_string(each.state));
    write_error(out, each.error);
    out.end_object();
  }
  out.end_array();
  out.end_object();
}

}  // namespace dim::gateway
