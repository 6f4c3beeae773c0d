#include "actors/store/blob_names.hpp"

#include "runtime/record_codec.hpp"

namespace dim::actors {

namespace {

using detached_visitor = std::function<void(const models::tensor&)>;

void visit_list(const models::tensor_list& tensors, const detached_visitor& visit) {
  for (const auto& tensor : tensors)
    if (tensor.is_detached())
      visit(tensor);
}

}  // namespace

bool visit_detached(std::string_view table, std::string_view record,
                    const detached_visitor& visit) {
  if (table == tables::executions) {
    const auto execution = runtime::decode_record<execution_record>(record);
    if (execution)
      visit_list(execution->outputs, visit);
    return execution.has_value();
  }
  if (table == tables::results) {
    const auto result = runtime::decode_record<job_result>(record);
    if (!result)
      return false;
    visit_list(result->outputs, visit);
    for (const auto& participant : result->participants)
      visit_list(participant.outputs, visit);
    return true;
  }
  const auto tensors = runtime::decode_record<models::tensor_list>(record);
  if (tensors)
    visit_list(*tensors, visit);
  return tensors.has_value();
}

runtime::expected<blob_sizes> blobs_named_in(const runtime::transaction& snapshot) {
  blob_sizes result;
  for (const char* table : tensor_tables) {
    bool all_read = true;
    auto done = snapshot.range(table, {}, [&](std::string_view, std::string_view record) {
      all_read = visit_detached(table, record, [&](const models::tensor& tensor) {
        result[tensor.digest] = tensor.byte_size;
      });
      return all_read;
    });
    if (!done)
      return tl::unexpected(std::move(done.error()));
    if (!all_read)
      return runtime::fail(runtime::error_code::store_corrupt,
                           "a record of table " + std::string{table} + " can not be read");
  }
  return result;
}

}  // namespace dim::actors
