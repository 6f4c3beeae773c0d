#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/model_spec.hpp"
#include "runtime/bytes.hpp"

/// Messages of MODELS: the catalogue, and bytes by digest.
namespace dim::actors {


/// A version of a model as the catalogue has it.
struct model_entry {
  std::string name;
  std::string version;
  std::string digest;
  std::uint64_t byte_size = 0;
  std::int64_t created_at = 0;
  models::model_spec spec;

  bool operator==(const model_entry&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_entry& x) {
  return f(x.name, x.version, x.digest, x.byte_size, x.created_at, x.spec);
}

/// Empty version: the highest. Errors: model_not_found.
struct find_model {
  std::string name;
  std::string version;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, find_model& x) {
  return f(x.name, x.version);
}

struct list_models {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, list_models&) {
  return f();
}

struct model_list {
  std::vector<model_entry> models;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_list& x) {
  return f(x.models);
}

/// One block of an upload. `offset` 0 opens it; blocks come in order, each after the reply to the
/// one before (that is the back-pressure). Errors: bad_input (wrong offset), too_large, store_full.
struct upload_block {
  std::string upload_id;
  std::uint64_t offset = 0;
  runtime::bytes data;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, upload_block& x) {
  return f(x.upload_id, x.offset, x.data);
}

struct upload_progress {
  std::uint64_t received = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, upload_progress& x) {
  return f(x.received);
}

/// Checks size and digest of the upload, opens the file in a child process, and only then enters
/// it. Empty version: one above the highest. On any error nothing is left behind. Errors:
/// bad_input, corrupt, bad_model, conflict (version exists with other bytes).
struct finish_upload {
  std::string upload_id;
  std::string name;
  std::string version;
  std::string config_toml;
  std::uint64_t byte_size = 0;
  std::string digest;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, finish_upload& x) {
  return f(x.upload_id, x.name, x.version, x.config_toml, x.byte_size, x.digest);
}

/// The sender gave up: the staged file goes away. No reply.
struct abandon_upload {
  std::string upload_id;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, abandon_upload& x) {
  return f(x.upload_id);
}

/// INTERNAL to MODELS, from its MODEL_CHECK: how opening the uploaded file went; `error.code` is
/// `none` when it is a model that fits its configuration.
struct model_checked {
  std::string upload_id;
  runtime::failure error;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_checked& x) {
  return f(x.upload_id, x.error);
}

/// INTERNAL to MODELS: look for uploads to which nothing came any more.
struct uploads_due {};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, uploads_due&) {
  return f();
}

/// Empty version: all of them. Errors: model_not_found.
struct remove_model {
  std::string name;
  std::string version;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, remove_model& x) {
  return f(x.name, x.version);
}

/// Bytes `offset` .. `offset + length` of a blob or model file, by digest. Errors: not_found.
struct fetch_chunk {
  std::string digest;
  std::uint64_t offset = 0;
  std::uint32_t length = 1 << 20;  ///< At most 1 MiB.
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, fetch_chunk& x) {
  return f(x.digest, x.offset, x.length);
}

struct chunk {
  runtime::bytes data;
  std::uint64_t total_size = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, chunk& x) {
  return f(x.data, x.total_size);
}

}  // namespace dim::actors
