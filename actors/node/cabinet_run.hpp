#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "actors/node/interface.hpp"
#include "models/cabinet.hpp"
#include "models/reduce.hpp"
#include "runtime/actor_base.hpp"
#include "runtime/call_table.hpp"

namespace dim::actors {

/// NODE as CABINET RUN sees it.
using cabinet_owner_actor =
  caf::typed_actor<caf::reacts_to<cabinet_started>, caf::reacts_to<cabinet_finished>>;

struct cabinet_run_arguments {
  /// Names the requests to DEVICE; unique in the node.
  std::string key;
  std::string execution_id;
  std::uint32_t epoch = 0;
  models::cabinet cabinet;
  models::reduce_plan reduce;
  served_model model;
  bool deterministic = false;
  std::uint64_t time_left_ms = 0;
  /// Beyond the time left: how long DEVICE may take to end a request.
  std::uint64_t patience_ms = 0;
  device_actor device;
  cabinet_owner_actor owner;
};

/// CABINET RUN: one collaborative execution on this node. It reads the cabinet's rows batch by
/// batch, has at most `window` batches at the device, and keeps only their reduction, in the order
/// of the rows. Its memory does not grow with the cabinet. It reads files, so it lives on a thread
/// of its own.
///
/// Rows stay here: neither messages nor log lines carry a value, and what a model says or prints
/// about its inputs is replaced by general words.
struct cabinet_run_state {
  static inline const char* name = "CABINET RUN";
  static constexpr bool works_long = true;
  using self_pointer = runtime::actor_self<cabinet_run_actor, cabinet_run_state>;

  explicit cabinet_run_state(self_pointer pointer) : self(pointer) {
  }
  /// NODE hears of every end.
  ~cabinet_run_state();

  void initialise(cabinet_run_arguments values);
  /// Opens the cabinet and sends its first rows.
  void start_reading();
  void stop();
  void note_forward();
  std::string describe() const;

private:
  void advance();
  runtime::expected<void> open();
  std::uint64_t rows_of_batch() const;
  runtime::expected<models::tensor_list> read_batch();
  void send_batch(models::tensor_list rows);
  void take(std::uint64_t number, runtime::expected<infer_result> reply);
  void fail(runtime::failure error, bool killed_agent = false);
  void finish();

  self_pointer self;
  std::optional<cabinet_run_arguments> arguments;
  runtime::call_table calls;
  std::optional<models::cabinet_reader> reader;
  std::optional<models::row_reducer> reducer;
  /// Answers that came before an earlier one.
  std::map<std::uint64_t, models::tensor_list> early;
  std::uint64_t sent = 0;
  std::uint64_t reduced = 0;
  std::uint64_t in_flight = 0;
  std::int64_t deadline_ms = 0;
  bool at_end = false;
  bool told_started = false;
  bool finished = false;
  /// What is answered in the end.
  infer_result result;
};

cabinet_run_actor::behavior_type cabinet_run(cabinet_run_state::self_pointer self,
                                             cabinet_run_arguments arguments);

}  // namespace dim::actors
