#pragma once

#include <cstdint>
#include <map>
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
  /// Grows whenever the model gets another configuration: agents of an older one are not those of
  /// this one.
  std::uint32_t revision = 0;

  bool operator==(const model_entry&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_entry& x) {
  return f(x.name, x.version, x.digest, x.byte_size, x.created_at, x.spec, x.revision);
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
///
/// With a `writer` it is a block of an upload that `resume_upload` has opened: no error ends that.
/// Errors beside the others: cancelled (another writer goes on with it), not_found.
struct upload_block {
  std::string upload_id;
  std::uint64_t offset = 0;
  runtime::bytes data;
  std::string writer = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, upload_block& x) {
  return f(x.upload_id, x.offset, x.data, x.writer);
}

struct upload_progress {
  std::uint64_t received = 0;
  /// All of it, and it is a version of the model.
  bool is_entered = false;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, upload_progress& x) {
  return f(x.received, x.is_entered);
}

/// Checks size and digest of the upload, opens the file in a child process, and only then enters
/// it. Empty version: one above the highest. Where a version of the model is in service, it stays
/// there until this one is prepared. On any error nothing is left behind. Errors: bad_input,
/// corrupt, bad_model, conflict (version exists with other bytes, an alias has the name), what kept
/// it from being prepared (bad_model, memory_limit, ...).
struct finish_upload {
  std::string upload_id;
  std::string name;
  std::string version;
  std::string config_toml;
  std::uint64_t byte_size = 0;
  std::string digest;
  /// As in `upload_block`.
  std::string writer = {};
  /// How long the sender waits: a version that is not prepared by then is entered unprepared.
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, finish_upload& x) {
  return f(x.upload_id, x.name, x.version, x.config_toml, x.byte_size, x.digest, x.writer,
           x.time_left_ms);
}

/// Goes on with an upload that outlives its connections and restarts, or begins one at `offset` 0.
/// `wish` says what it will be, and its configuration is checked now. The reply tells how far the
/// upload is. Only where that is `offset` does `wish.writer` become its writer, and whoever was it
/// before is refused from then on; so two that send the same can not mix. Without a writer it is
/// only a question. Errors: bad_input, conflict (the version exists with other bytes), unavailable
/// (it is being opened), too_large, overloaded (too many are unfinished), store_full.
struct resume_upload {
  finish_upload wish;
  std::uint64_t offset = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, resume_upload& x) {
  return f(x.wish, x.offset);
}

/// The writer's part is over: what there is of the upload is flushed to the disk, and then told.
/// Errors: not_found, cancelled (another writer), store_full.
struct pause_upload {
  std::string upload_id;
  std::string writer;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, pause_upload& x) {
  return f(x.upload_id, x.writer);
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

// -- what is served
// --------------------------------------------------------------------------------

/// The states of the model repository extension.
enum class serving_state : std::uint8_t { unknown, ready, unavailable, loading, unloading };

constexpr serving_state last_value(serving_state) noexcept {
  return serving_state::unloading;
}

/// One version in the repository, and whether it may be asked for.
struct served_version {
  model_entry model;
  serving_state state = serving_state::unknown;
  /// Why it is not ready; empty when it is, or was never wanted.
  std::string reason;

  bool operator==(const served_version&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, served_version& x) {
  return f(x.model, x.state, x.reason);
}

/// Another name for a model.
struct model_alias {
  std::string model;
  /// Empty: the highest that is served.
  std::string version;

  bool operator==(const model_alias&) const = default;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, model_alias& x) {
  return f(x.model, x.version);
}

/// All versions of all models, or of one, served or not. Errors: model_not_found (for a name).
struct get_served_models {
  /// Empty: all. An alias is resolved.
  std::string name;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, get_served_models& x) {
  return f(x.name);
}

/// Serves a model: the versions that its policy names, or one, with the configuration in the
/// repository or the one that is given. A model that is served already is loaded anew and swapped
/// in when it is ready; on failure the old one stays. Replies when it is served. Errors:
/// model_not_found, bad_input (configuration, files, models that an ensemble's steps do not fit),
/// bad_model, memory_limit, no_nodes, conflict (a load of it is under way, an alias has the name),
/// overloaded (too many models are served from files that were sent), expired.
struct load_served_model {
  std::string name;
  /// Empty: as the policy says.
  std::string version;
  /// JSON of Triton's model configuration, or empty.
  std::string config_json;
  std::uint64_t time_left_ms = 0;
  /// By path in the model's folder. With versions ("1/model.pt") they are served in place of what
  /// the repository has, until the next load, an unload or the end of this process. Else they are
  /// labels, which stay with the repository's model as the configuration does.
  std::map<std::string, runtime::bytes> files = {};
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, load_served_model& x) {
  return f(x.name, x.version, x.config_json, x.time_left_ms, x.files);
}

/// Stops to serve a model, or one version: requests under way end first. Replies when it is gone.
/// Errors: model_not_found, conflict (a load of it is under way, an alias stands for the version).
struct unload_served_model {
  std::string name;
  /// Empty: all.
  std::string version;
  /// Ensembles' steps too.
  bool dependents = false;
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, unload_served_model& x) {
  return f(x.name, x.version, x.dependents, x.time_left_ms);
}

/// Sets an alias, or removes it when `target.model` is empty. A version that it stands for is in
/// service as long as its model is, and prepared before if it was not. Replies with the alias as it
/// is afterwards. Errors: model_not_found, bad_input, conflict (a model has this name, the target
/// is not loaded, or is on its way into service), what kept it from being prepared.
struct set_model_alias {
  std::string alias;
  model_alias target;
  /// How long the sender waits: the alias stands for a version that is not prepared by then.
  std::uint64_t time_left_ms = 0;
};

template <class Inspector>
typename Inspector::result_type inspect(Inspector& f, set_model_alias& x) {
  return f(x.alias, x.target, x.time_left_ms);
}

}  // namespace dim::actors
