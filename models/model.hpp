#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

#include "models/model_spec.hpp"
#include "models/tensor.hpp"
#include "runtime/errors.hpp"

/// TorchScript models. Part of `dim::models_torch`; LibTorch itself is seen only by the sources.
namespace dim::models {

/// A TorchScript program, loaded once onto one device, that runs one batch after the other. It
/// blocks while it runs. One thread uses a model; several models may run on several threads.
///
/// BOOL, UINT8, INT8 to INT64, FP16, BF16, FP32 and FP64 are supported. UINT16 to UINT64 and BYTES
/// are refused with `unsupported`: TorchScript has no such tensors.
class model {
public:
  /// Loads `path` onto `device` ("cpu:0-1", "cuda:0"), freezes it for inference, and runs it on
  /// zeros, in all inputs, until LibTorch has compiled it. `threads` is the number of intra-op
  /// threads on the CPU, at least 1. Errors: bad_model (not TorchScript, does not take the declared
  /// inputs, has no default for an optional one, or does not give the declared outputs),
  /// memory_limit, unsupported (datatype), bad_input (device).
  static runtime::expected<model> load(const std::filesystem::path& path, const model_spec& spec,
                                       std::string_view device, std::uint32_t threads);

  model(model&&) noexcept;
  model& operator=(model&&) noexcept;
  ~model();

  /// One forward. `inputs` are checked against the declared ones; their bytes are used in place on
  /// the CPU. An optional one that is not there is forward's default. The outputs have the declared
  /// names, types and order, each copied once; their digests are empty: `split_batch` sets them.
  ///
  /// With `deterministic`, LibTorch's deterministic algorithms are on, TF32 and the choice of
  /// algorithms by timing are off, and the random generators are seeded, so that the same software
  /// on the same hardware gives the same bytes. These switches are the process's own: such a run
  /// excludes every other.
  ///
  /// Errors: bad_input (with every problem), memory_limit, bad_model (outputs other than declared),
  /// internal (what LibTorch said, in one line).
  runtime::expected<tensor_list> run(const tensor_list& inputs, bool deterministic);

  /// Bytes of the model's parameters and constants on its device.
  std::uint64_t memory_bytes() const noexcept;

private:
  struct program;
  explicit model(std::unique_ptr<program> loaded);

  std::unique_ptr<program> program_;
};

/// Opens a model file and runs it on zeros with one row, and with two when the model batches. It
/// answers whether the file is TorchScript, takes the declared inputs and gives the declared
/// outputs. To be called in a child process: a hostile file can crash the reader, and a forward can
/// take any time. Errors: bad_model (with the reason), unsupported, memory_limit.
runtime::expected<void> verify_model_file(const std::filesystem::path& path,
                                          const model_spec& spec);

}  // namespace dim::models
