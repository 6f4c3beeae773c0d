#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>

#include "actors/router/interface.hpp"
#include "runtime/actor_base.hpp"

namespace dim::actors {

struct record_writer_arguments {
  std::filesystem::path file;
  /// At this size the file is put aside as `FILE.1`, in place of the one there.
  std::uint64_t bytes_max = 16ull << 20;
};

/// Appends records of direct inferences to a file, one JSON object a line. It blocks on the disk,
/// so it lives on a thread of its own. A file that can not be written is reported once, and tried
/// again with the next records.
struct record_writer_state {
  static inline const char* name = "RECORD WRITER";
  using self_pointer = runtime::actor_self<record_writer_actor, record_writer_state>;

  void write(const write_records& news);
  std::string describe() const;

  record_writer_arguments arguments;

private:
  bool open();
  void put_aside();

  std::ofstream out;
  std::uint64_t size = 0;
  std::uint64_t written = 0;
  bool has_complained = false;
};

record_writer_actor::behavior_type record_writer(record_writer_state::self_pointer self,
                                                 record_writer_arguments arguments);

}  // namespace dim::actors
