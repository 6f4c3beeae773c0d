#include "actors/store/model_check.hpp"

namespace dim::actors {

namespace {

constexpr std::size_t lines_max = 20;

/// The last lines that are not empty, in their order.
std::vector<std::string> last_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    if (end > 0)
      lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (lines.size() > lines_max)
    lines.erase(lines.begin(), lines.end() - lines_max);
  return lines;
}

}  // namespace

runtime::failure judge_model_check(const runtime::expected<runtime::child_end>& end) {
  if (!end)
    return end.error();
  if (end->succeeded())
    return {};
  auto lines = last_lines(end->error_text);
  std::string reason = lines.empty() ? "no reason was given" : lines.back();
  if (end->timed_out)
    reason = "opening it did not end in its time";
  else if (end->signal != 0)
    reason = "opening it killed its process with signal " + std::to_string(end->signal);
  return {runtime::error_code::bad_model, std::move(reason), std::move(lines)};
}

model_check_actor::behavior_type model_check(model_check_state::self_pointer self,
                                             model_check_owner owner, std::string upload_id,
                                             runtime::child_run run) {
  self->send(self, caf::tick_atom_v);
  return {
    [self, owner, upload_id, run](caf::tick_atom) {
      self->send(owner, model_checked{upload_id, judge_model_check(runtime::run_to_end(run))});
      self->quit();
    },
  };
}

}  // namespace dim::actors
