#include "actors/router/record_writer.hpp"

#include <system_error>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/log.hpp"
#include "runtime/log_line.hpp"

namespace dim::actors {

namespace {

std::string line_of(const inference_record& record) {
  auto text = [](std::string_view value) { return runtime::json_string(value); };
  return "{\"ended_at\":" + std::to_string(record.ended_at) +
         ",\"id\":" + text(record.request_id) + ",\"model\":" + text(record.model) +
         ",\"version\":" + text(record.version) + ",\"node\":" + text(record.node_id) +
         ",\"code\":" + text(to_string(record.code)) +
         ",\"total_us\":" + std::to_string(record.total_us) +
         ",\"queue_us\":" + std::to_string(record.queue_us) +
         ",\"forward_us\":" + std::to_string(record.forward_us) +
         ",\"batch_rows\":" + std::to_string(record.batch_rows) + "}\n";
}

}  // namespace

bool record_writer_state::open() {
  if (out.is_open() && out.good())
    return true;
  out.close();
  out.clear();
  out.open(arguments.file, std::ios::app);
  std::error_code unknown_size;
  auto found = std::filesystem::file_size(arguments.file, unknown_size);
  size = unknown_size ? 0 : found;
  return out.good();
}

void record_writer_state::put_aside() {
  out.close();
  auto aside = arguments.file;
  aside += ".1";
  std::error_code ignored;
  std::filesystem::rename(arguments.file, aside, ignored);
}

void record_writer_state::write(const write_records& news) {
  if (size >= arguments.bytes_max)
    put_aside();
  if (open()) {
    std::string text;
    for (auto& record : news.records)
      text += line_of(record);
    out << text << std::flush;
    size += text.size();
  }
  if (out.good()) {
    written += news.records.size();
    has_complained = false;
  } else if (!std::exchange(has_complained, true)) {
    runtime::log(runtime::log_level::warn, name, "can not write its file",
                 {{"file", arguments.file.string()}});
  }
}

std::string record_writer_state::describe() const {
  return "written " + std::to_string(written) + ", file bytes " + std::to_string(size);
}

record_writer_actor::behavior_type record_writer(record_writer_state::self_pointer self,
                                                 record_writer_arguments arguments) {
  auto& state = self->state;
  state.arguments = std::move(arguments);
  return {
    [&state](const write_records& news) { state.write(news); },
  };
}

}  // namespace dim::actors
