#include "gateway/handlers/backup.hpp"

#include "gateway/json_reader.hpp"

namespace dim::gateway {

namespace {

constexpr std::size_t path_bytes_max = 4'096;

struct backup_draft {
  std::string folder;
};

constexpr member_reader<backup_draft> members[] = {
  {"folder",
   [](json_reader& reader, json_value value, const json_path& path, backup_draft& draft) {
     draft.folder = reader.read_text(value, path, path_bytes_max).value_or("");
   }},
};

http_reply render(const actors::backup_status& backup, unsigned status) {
  json_writer out;
  out.begin_object();
  out.member("state", to_string(backup.state));
  out.text_or_null("folder", backup.folder);
  out.member("files", backup.files);
  out.member("bytes", backup.bytes);
  out.time_or_null("started_at", backup.started_at);
  out.time_or_null("completed_at", backup.ended_at);
  out.text_or_null("error", backup.error.message);
  out.text_or_null("code", backup.error.code == runtime::error_code::none
                             ? std::string{}
                             : std::string{to_string(backup.error.code)});
  out.end_object();
  return json_reply(out.take(), status);
}

void begin(const handler_context& context, const exchange_ptr& exchange) {
  problem_list problems{context.jobs.problems_max};
  json_reader reader{problems};
  backup_draft draft;
  reader.read_document<backup_draft>(exchange->request().body, members, draft);
  if (problems.empty() && draft.folder.empty())
    problems.add(json_path{}.member("folder"), "missing");
  if (!problems.empty()) {
    exchange->reply(
      failure_reply({runtime::error_code::bad_input, "the request has problems", problems.take()}));
    return;
  }
  answer_with<actors::backup_status>(
    context, exchange, actors::start_backup{std::move(draft.folder)},
    [](const actors::backup_status& backup) { return render(backup, 202); });
}

void read(const handler_context& context, const exchange_ptr& exchange) {
  answer_with<actors::backup_status>(
    context, exchange, actors::get_backup{},
    [](const actors::backup_status& backup) { return render(backup, 200); });
}

}  // namespace

void add_backup_routes(router& routes, const handler_context& context) {
  routes.add(
    {"POST", "/api/v1/backup", [&context](exchange_ptr exchange) { begin(context, exchange); }});
  routes.add(
    {"GET", "/api/v1/backup", [&context](exchange_ptr exchange) { read(context, exchange); }});
}

}  // namespace dim::gateway
