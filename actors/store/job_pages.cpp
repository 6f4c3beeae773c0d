#include <algorithm>
#include <limits>

#include "actors/store/job_reader.hpp"
#include "actors/store/records.hpp"
#include "runtime/ids.hpp"
#include "runtime/record_codec.hpp"

namespace dim::actors {

using runtime::error_code;
using runtime::expected;
using runtime::fail;

namespace {

constexpr std::uint32_t limit_max = 1000;
constexpr std::size_t array_prefix_min = 4;

/// A sorted list of job ids: the keys of a table below a prefix.
struct id_list {
  std::string table;
  std::string prefix;
};

/// The highest id of the list that is not above `bound`.
expected<std::optional<std::string>> find_not_above(const runtime::transaction& snapshot,
                                                    const id_list& list,
                                                    const std::string& bound) {
  std::optional<std::string> found;
  auto done = snapshot.range(list.table, {list.prefix, list.prefix + bound, true},
                             [&](std::string_view key, std::string_view) {
                               found = key.substr(list.prefix.size());
                               return false;
                             });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return found;
}

/// The highest id not above `bound` that is in every list: each list in turn lowers the candidate,
/// until all of them have it.
expected<std::optional<std::string>> find_in_all(const runtime::transaction& snapshot,
                                                 const std::vector<id_list>& lists,
                                                 std::string bound) {
  std::size_t agreeing = 0;
  for (std::size_t turn = 0; agreeing < lists.size(); turn = (turn + 1) % lists.size()) {
    auto found = find_not_above(snapshot, lists[turn], bound);
    if (!found || !*found)
      return found;
    agreeing = **found == bound ? agreeing + 1 : 1;
    bound = std::move(**found);
  }
  return bound;
}

/// A bound below `id` and not below any other id that is.
std::string just_below(std::string id) {
  id.back() = static_cast<char>(id.back() - 1);
  return id + '\xff';
}

expected<std::vector<id_list>> lists_of(const list_jobs& request) {
  std::vector<id_list> lists;
  std::vector<std::string> problems;
  if (!request.status.empty()) {
    if (const auto state = job_state_from(request.status))
      lists.push_back({state_table(*state), {}});
    else
      problems.push_back("status: no job is ever \"" + request.status + "\"");
  }
  if (!request.pattern.empty()) {
    if (pattern_from(request.pattern))
      lists.push_back({tables::jobs_by_pattern, pair_key(request.pattern, {})});
    else
      problems.push_back("pattern: there is no pattern \"" + request.pattern + "\"");
  }
  if (!request.submitted_by.empty())
    lists.push_back({tables::jobs_by_submitter, submitter_prefix(request.submitted_by)});
  if (!request.array_id.empty())
    lists.push_back({tables::jobs_by_array, pair_key(request.array_id, {})});
  if (lists.empty())
    lists.push_back({tables::jobs, {}});
  if (!request.cursor.empty() && !runtime::is_uuid(request.cursor))
    problems.push_back("cursor: not one that a page gave");
  if (!request.array_id.empty() && !runtime::is_uuid(request.array_id))
    problems.push_back("array: expected the whole id of an array");
  if (request.limit < 1 || request.limit > limit_max)
    problems.push_back("limit: expected 1 to 1000, got " + std::to_string(request.limit));
  if (!problems.empty())
    return fail(error_code::bad_input, problems.front(), problems);
  return lists;
}

expected<job_record> read_row(const runtime::transaction& snapshot, const std::string& id) {
  auto stored = snapshot.get(tables::jobs, id);
  if (!stored)
    return tl::unexpected(std::move(stored.error()));
  if (!*stored)
    return fail(error_code::store_corrupt, "the row of job " + id + " is not stored");
  return runtime::decode_record<job_record>(**stored);
}

/// The keys of `jobs_by_array` below `prefix` that are not before `from`, at most `max`.
expected<std::vector<std::string>> read_array_keys(const runtime::transaction& snapshot,
                                                   const std::string& prefix,
                                                   const std::string& from, std::size_t max) {
  std::vector<std::string> keys;
  auto done = snapshot.range(tables::jobs_by_array, {prefix, from},
                             [&](std::string_view key, std::string_view) {
                               keys.emplace_back(key);
                               return keys.size() < max;
                             });
  if (!done)
    return tl::unexpected(std::move(done.error()));
  return keys;
}

/// The only array whose id begins with `prefix`.
expected<std::string> complete_array_id(const runtime::transaction& snapshot,
                                        const std::string& prefix) {
  if (prefix.size() < array_prefix_min)
    return fail(error_code::bad_input, "id: at least 4 characters are needed");
  auto first = read_array_keys(snapshot, prefix, prefix, 1);
  if (!first)
    return tl::unexpected(std::move(first.error()));
  const auto slash = first->empty() ? std::string::npos : first->front().find('/');
  if (slash == std::string::npos)
    return fail(error_code::not_found, "there is no array " + prefix);
  const auto id = first->front().substr(0, slash);
  // '0' comes right after '/': the first key of another array.
  auto other = read_array_keys(snapshot, prefix, id + '0', 1);
  if (!other)
    return tl::unexpected(std::move(other.error()));
  if (!other->empty())
    return fail(error_code::bad_input, "id: " + prefix + " is the beginning of several ids");
  return id;
}

}  // namespace

expected<job_page> read_page(const runtime::transaction& snapshot, const list_jobs& request) {
  auto lists = lists_of(request);
  if (!lists)
    return tl::unexpected(std::move(lists.error()));
  job_page page;
  std::string bound = request.cursor.empty() ? "\xff" : just_below(request.cursor);
  while (true) {
    auto id = find_in_all(snapshot, *lists, bound);
    if (!id)
      return tl::unexpected(std::move(id.error()));
    if (!*id)
      return page;
    if (page.jobs.size() == request.limit) {
      page.next_cursor = page.jobs.back().id;
      return page;
    }
    auto record = read_row(snapshot, **id);
    if (!record)
      return tl::unexpected(std::move(record.error()));
    page.jobs.push_back(std::move(*record));
    bound = just_below(**id);
  }
}

expected<array_view> read_array(const runtime::transaction& snapshot, const std::string& id) {
  auto whole_id = complete_array_id(snapshot, id);
  if (!whole_id)
    return tl::unexpected(std::move(whole_id.error()));
  const auto prefix = pair_key(*whole_id, {});
  auto keys = read_array_keys(snapshot, prefix, prefix, std::numeric_limits<std::size_t>::max());
  if (!keys)
    return tl::unexpected(std::move(keys.error()));
  array_view view;
  view.id = *whole_id;
  for (const auto& key : *keys) {
    auto record = read_row(snapshot, key.substr(prefix.size()));
    if (!record)
      return tl::unexpected(std::move(record.error()));
    view.elements.push_back(
      {record->id, record->array_index, record->state, std::move(record->error)});
  }
  std::sort(view.elements.begin(), view.elements.end(),
            [](const auto& one, const auto& other) { return one.index < other.index; });
  return view;
}

}  // namespace dim::actors
