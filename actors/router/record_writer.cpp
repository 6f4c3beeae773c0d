#include "actors/router/record_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "actors/type_ids.hpp"
#include "runtime/log.hpp"
#include "runtime/log_line.hpp"

namespace dim::actors {

namespace {

/// Most lines have fewer.
constexpr std::size_t line_bytes = 256;

/// Writes one object. There may be tens of thousands a second: nothing is formatted that need not.
class line_writer {
public:
  explicit line_writer(std::string& text) : text_(text) {
  }

  line_writer& number(std::string_view key, std::uint64_t value) {
    text_ += key;
    std::array<char, 20> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    text_.append(digits.data(), end);
    return *this;
  }
  line_writer& word(std::string_view key, std::string_view value) {
    text_ += key;
    runtime::append_json_string(text_, value);
    return *this;
  }

private:
  std::string& text_;
};

/// What most records have in common with the one before them.
struct common_part {
  const inference_record* of = nullptr;
  std::string text;

  void take(const inference_record& record) {
    auto is_same = of != nullptr && of->model == record.model && of->version == record.version
                   && of->node_id == record.node_id && of->code == record.code;
    of = &record;
    if (is_same)
      return;
    text.clear();
    line_writer{text}
      .word(",\"model\":", record.model.str())
      .word(",\"version\":", record.version.str())
      .word(",\"node\":", record.node_id.str())
      .word(",\"code\":", to_string(record.code));
  }
};

/// One object a line.
std::string lines_of(const std::vector<inference_record>& records) {
  std::string text;
  text.reserve(records.size() * line_bytes);
  common_part common;
  for (auto& record : records) {
    common.take(record);
    auto ended_at = static_cast<std::uint64_t>(std::max<std::int64_t>(0, record.ended_at));
    line_writer{text}
      .number("{\"ended_at\":", ended_at)
      .word(",\"id\":", record.request_id.str());
    text += common.text;
    line_writer{text}
      .number(",\"total_us\":", record.total_us)
      .number(",\"queue_us\":", record.queue_us)
      .number(",\"forward_us\":", record.forward_us)
      .number(",\"batch_rows\":", record.batch_rows);
    text += "}\n";
  }
  return text;
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
    auto text = lines_of(news.records);
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
