#pragma once

#include <atomic>

#include "gateway/handlers/context.hpp"

namespace dim::gateway {

/// How many uploads may run at once. Thread-safe.
class upload_slots {
public:
  explicit upload_slots(std::uint32_t slots_max) : free_(slots_max) {
  }

  /// Takes a slot, or returns false when none is free.
  bool take() noexcept {
    auto free = free_.load();
    while (free > 0)
      if (free_.compare_exchange_weak(free, free - 1))
        return true;
    return false;
  }
  void give_back() noexcept {
    ++free_;
  }

private:
  std::atomic<std::uint32_t> free_;
};

/// Takes a model file from the request's body and hands it to MODELS, block by block, each after
/// the answer to the one before; so the file is never in memory as a whole, and a slow disk slows
/// the client down. Answers 201 with the model's entry.
///
/// The name and version come from the path, or from `?name=` and `?version=` (empty: one above the
/// highest). `X-Dim-Model-Config` is the config.toml in base64; `Digest: sha-256=<base64>` (RFC
/// 3230) is what the bytes must hash to, and may be left out. On any failure nothing is left
/// behind.
void start_model_upload(const handler_context& context, const exchange_ptr& exchange,
                        const std::shared_ptr<upload_slots>& slots);

}  // namespace dim::gateway
