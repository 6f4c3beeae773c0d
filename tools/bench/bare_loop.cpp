#include "tools/bench/bare_loop.hpp"

#include <system_error>

#include "actors/store/records.hpp"
#include "runtime/ids.hpp"
#include "runtime/record_codec.hpp"
#include "runtime/store.hpp"

namespace dim::tools {

namespace {

constexpr int batch_size = 32;

actors::job_record sample_job(runtime::id_source& ids, std::int64_t now_ms) {
  actors::job_record record;
  record.id = ids.next(now_ms);
  record.submitted_at = now_ms;
  record.spec.name = "bench";
  record.spec.steps = {{"digits-mlp", "1", std::string(64, 'a'), 1.0, {}}};
  record.spec.inputs = {models::make_tensor("x", models::datatype::fp32, {1, 64},
                                            std::vector<char>(64 * sizeof(float)))};
  return record;
}

/// The writes by which STORE numbers an event.
void append_event(const actors::event& news, actors::commit_changes& commit) {
  auto number = actors::number_key(news.number);
  commit.changes.push_back(
    {actors::change_kind::put, actors::tables::events, number, runtime::encode_record(news)});
  commit.changes.push_back({actors::change_kind::put,
                            actors::tables::events_by_job,
                            actors::pair_key(news.job_id, number),
                            {}});
}

}  // namespace

runtime::expected<double> bare_submissions_per_second(const std::filesystem::path& folder,
                                                      std::chrono::milliseconds duration) {
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  runtime::store_settings settings;
  settings.folder = folder;
  settings.tables = actors::tables::all();
  auto opened = runtime::store::open(settings);
  if (!opened)
    return tl::unexpected<runtime::failure>(opened.error());
  runtime::id_source ids{1};
  std::uint64_t made = 0;
  std::uint64_t event_number = 0;
  auto begin = std::chrono::steady_clock::now();
  auto end = begin + duration;
  while (std::chrono::steady_clock::now() < end) {
    auto written =
      (*opened)->write([&](runtime::write_transaction& transaction) -> runtime::expected<void> {
        for (int index = 0; index < batch_size; ++index) {
          actors::commit_changes commit;
          auto record = sample_job(ids, 1'700'000'000'000 + std::int64_t(made + index));
          actors::append_changes_for_new_job(record, commit);
          actors::event news{++event_number,
                             actors::topic_jobs,
                             "job_submitted",
                             record.id,
                             "",
                             "",
                             record.submitted_at,
                             ""};
          append_event(news, commit);
          for (auto& one : commit.changes)
            if (auto put = transaction.put(one.table, one.key, one.value.view()); !put)
              return put;
        }
        return {};
      });
    if (!written)
      return tl::unexpected<runtime::failure>(written.error());
    made += batch_size;
  }
  auto seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  opened->reset();
  std::filesystem::remove_all(folder, ignored);
  return double(made) / seconds;
}

}  // namespace dim::tools
