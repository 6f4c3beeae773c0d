#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "models/disk_file.hpp"
#include "models/model_spec.hpp"
#include "runtime/bytes.hpp"
#include "runtime/errors.hpp"

namespace dim::models {

/// One version of a model in the repository.
struct repository_entry {
  std::string name;
  std::string version;
  /// SHA-256 of the program's file.
  std::string digest;
  std::uint64_t byte_size = 0;
  /// When the file was written, in milliseconds since the Unix epoch.
  std::int64_t created_at = 0;
  model_spec spec;
};

struct repository_options {
  std::filesystem::path folder;
  /// Largest model file that an upload may make, in bytes.
  std::uint64_t file_bytes_max = std::uint64_t{16} << 30;
  /// Uploads that may be open at once.
  std::size_t uploads_max = 16;
  /// Resumable uploads that may be unfinished at once, and the bytes that they may come to.
  std::size_t resumable_max = 16;
  std::uint64_t resumable_bytes_max = std::uint64_t{64} << 30;
};

/// An upload that outlives its connections and this process.
struct resumable_upload {
  std::string id;
  /// Of the whole file.
  std::uint64_t byte_size = 0;
  std::uint64_t received = 0;
  /// Time of the last block, in milliseconds since the Unix epoch.
  std::int64_t written_at = 0;
};

/// Part of a file, and the size of the whole.
struct file_block {
  runtime::bytes data;
  std::uint64_t total_size = 0;
};

/// The model repository of the orchestrator: a folder with
///
///     <model>/config.toml            or, as Triton has it, config.pbtxt
///     <model>/<version>/model.pt     or the file that the configuration names
///
/// and beside the models `.staging/` (uploads on their way), `.digests` (the SHA-256 of every file
/// with its size and time, so that a start reads only files that have changed) and `.serving` (see
/// `serving_wishes`). People may also put models into the folder by hand: they are found at a start
/// and by `read_again`.
///
/// A built-in model and an ensemble have no file: their version folders are empty, or there is none
/// and the version is 1. Their digest is that of their configuration in TOML, which is also what
/// `read_chunk` gives.
///
/// An upload goes through these states; whatever ends it elsewhere leaves nothing behind:
///
///     begin_upload --> append* --> seal_upload --> commit_upload
///                  \________________\______________\--> abandon_upload
///
/// A resumable upload begins with `resume_upload` instead, is kept in `.staging/.resumable/` over
/// restarts, and goes on with `resume_upload`.
///
/// One actor owns a repository; it is not safe for threads. Every call may block on the disk.
class repository {
public:
  /// Opens the folder, makes it when it is not there, removes stale uploads and reads what is
  /// there. A broken model is left out and named in `problems()`. Errors: internal (the folder can
  /// not be used), store_full.
  static runtime::expected<repository> open(repository_options options);

  /// What was left out at `open`, each in words ("digits: config.toml: line 3: ...").
  const std::vector<std::string>& problems() const noexcept {
    return problems_;
  }

  /// What is in a configuration and not used, each in words, since `open`.
  const std::vector<std::string>& warnings() const noexcept {
    return warnings_;
  }

  /// Every version, ordered by name, then by version as a number.
  std::vector<repository_entry> list() const;

  /// The named version, or the highest when `version` is empty. Errors: model_not_found.
  runtime::expected<repository_entry> find(std::string_view name, std::string_view version) const;

  /// Reads a model's folder anew, after somebody has changed it by hand; one that is not there is
  /// forgotten. On failure the model stays as it was. Errors: bad_input (its configuration, or it
  /// has no version), internal.
  runtime::expected<void> read_again(const std::string& name);

  /// The labels in a file of the model's folder. Errors: bad_input (no plain name of a file),
  /// not_found, too_large, internal.
  runtime::expected<std::vector<std::string>> labels_in(const std::string& name,
                                                        const std::string& file) const;

  /// Where the wishes of `serving_wishes` are kept.
  std::filesystem::path wishes_path() const;

  /// A folder for files that are only sent with a load; it does not outlive this process.
  std::filesystem::path sent_folder() const;

  /// Opens an upload; an open one with this id starts anew. `upload_id` is 1 to 128 letters,
  /// digits, '-' and '_'. Errors: bad_input (id), overloaded (too many open uploads), store_full,
  /// internal.
  runtime::expected<void> begin_upload(const std::string& upload_id);

  /// Opens a resumable upload of `byte_size` bytes, or goes on with the one that has this id and
  /// size. Returns what it has received. Errors: bad_input (id or size), too_large, overloaded (too
  /// many, or too large together), store_full, internal.
  runtime::expected<std::uint64_t> resume_upload(const std::string& upload_id,
                                                 std::uint64_t byte_size);

  /// The resumable uploads that are unfinished, by id.
  std::vector<resumable_upload> resumable_uploads() const;

  /// Flushes to the disk what an upload has received, and returns how much that is. Errors:
  /// not_found, store_full, internal.
  runtime::expected<std::uint64_t> flush_upload(const std::string& upload_id);

  /// Adds a block at `offset`, which must be what has been received; returns what has been received
  /// now. Errors abandon an upload that is not resumable, except not_found: bad_input (wrong
  /// offset, sealed already, or more than a resumable upload is to have), too_large, store_full.
  runtime::expected<std::uint64_t> append(const std::string& upload_id, std::uint64_t offset,
                                          std::string_view data);

  /// Flushes the file, checks size and digest (lower-case hex) and gives its path, so that it can
  /// be opened in a child process before it is committed. Errors abandon the upload: not_found,
  /// bad_input (size differs), corrupt (digest differs).
  runtime::expected<std::filesystem::path> seal_upload(const std::string& upload_id,
                                                       std::uint64_t byte_size,
                                                       std::string_view digest);

  /// Enters a sealed upload as a version of `name`. An empty `version` is one above the highest. An
  /// existing version with the same bytes is answered as it stands, so that a repeated upload is no
  /// error. Where the model has other versions already, `spec` must declare the same inputs,
  /// outputs and `max_batch_size`, since all versions share one config.toml; its other fields, and
  /// its labels, replace the old ones, but for the name of the file, under which the other versions
  /// are found. Errors abandon the upload and leave the model as it was, also on the disk:
  /// not_found, bad_input (name, version, or `spec.name` is another name), conflict (the version
  /// has other bytes or a folder that is not empty, the declarations differ, or the model is of a
  /// kind without files), store_full, internal.
  runtime::expected<repository_entry> commit_upload(const std::string& upload_id,
                                                    const std::string& name,
                                                    const std::string& version, model_spec spec);

  /// Removes an upload's file. Unknown ids are ignored.
  void abandon_upload(const std::string& upload_id);

  /// Removes a version, or the whole model when `version` is empty. The last version takes the
  /// model's folder with it, unless that has a folder of something else: then it only takes its
  /// own. Errors: model_not_found, internal.
  runtime::expected<void> remove(std::string_view name, std::string_view version);

  /// The file with this digest. Errors: not_found.
  runtime::expected<std::filesystem::path> path_of(std::string_view digest) const;

  /// The bytes `offset` .. `offset + length` of the file with this digest, fewer at its end.
  /// Errors: not_found, internal.
  runtime::expected<file_block> read_chunk(std::string_view digest, std::uint64_t offset,
                                           std::uint64_t length) const;

private:
  struct upload {
    staged_file file;
    std::string digest;           ///< Set once sealed.
    std::uint64_t byte_size = 0;  ///< Of the whole file; 0: unknown, and not resumable.
  };
  struct version_record {
    std::string digest;
    std::uint64_t byte_size = 0;
    /// Time of the last write, in nanoseconds since the Unix epoch.
    std::int64_t written_ns = 0;

    bool operator==(const version_record&) const = default;
  };
  struct model_record {
    model_spec spec;
    std::map<std::uint64_t, version_record> versions;
  };

  explicit repository(repository_options options);
  runtime::expected<void> prepare_folder();
  void empty_staging(std::error_code& error);
  void read_resumable();
  runtime::expected<void> check_room(std::uint64_t byte_size) const;
  runtime::expected<void> check_block(const upload& open, std::uint64_t offset,
                                      std::uint64_t size) const;
  runtime::expected<void> open_upload(const std::string& upload_id, std::uint64_t byte_size);
  void read_models();
  runtime::expected<model_record> read_model(const std::string& name);
  runtime::expected<model_record> read_config(const std::string& name);
  runtime::expected<model_record> read_triton_config(const std::string& name,
                                                     const std::string& text);
  void read_version(model_record& model, std::uint64_t version);
  void read_digests();
  runtime::expected<void> write_digests();
  runtime::expected<repository_entry> enter(const std::string& upload_id, upload& staged,
                                            const std::string& name, const std::string& version,
                                            model_spec spec);
  runtime::expected<std::uint64_t> choose_version(const std::string& name,
                                                  const std::string& version) const;
  runtime::expected<void> place_files(const std::string& upload_id, upload& staged,
                                      const model_spec& spec, std::uint64_t version);
  std::filesystem::path staging_folder() const;
  std::filesystem::path resumable_folder() const;
  std::filesystem::path upload_folder(const std::string& upload_id, std::uint64_t byte_size) const;
  std::filesystem::path folder_of(std::string_view name) const;
  std::filesystem::path file_of(const model_record& model, std::uint64_t version) const;
  static bool is_upload_id(const std::string& id);
  static bool is_fileless(const model_record& model);
  static std::string key_of(std::string_view name, std::uint64_t version);
  static repository_entry entry_of(const model_record& model, std::uint64_t version);

  repository_options options_;
  std::vector<std::string> problems_;
  std::vector<std::string> warnings_;
  std::map<std::string, model_record, std::less<>> models_;
  std::map<std::string, upload> uploads_;
  /// What `.digests` tells, by "<model>/<version>".
  std::map<std::string, version_record> known_;
  std::uint64_t removals_ = 0;
};

}  // namespace dim::models
