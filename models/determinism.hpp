#pragma once

#include <mutex>
#include <shared_mutex>

/// LibTorch's switches that decide whether a run can be repeated to the byte. They belong to the
/// process, not to a model. Included by sources of `dim::models_torch` only.
namespace dim::models {

/// Sets, once, what holds for every run: no TF32, no choice of algorithms by timing, a fixed cuBLAS
/// workspace. To be called before the first use of a device.
void fix_process_settings();

/// Held during a forward. A deterministic one turns deterministic algorithms on and seeds the
/// random generators; while it lasts, no other forward runs in this process.
class run_mode {
public:
  explicit run_mode(bool deterministic);
  run_mode(const run_mode&) = delete;
  run_mode& operator=(const run_mode&) = delete;
  ~run_mode();

private:
  std::shared_lock<std::shared_mutex> shared_;
  std::unique_lock<std::shared_mutex> alone_;
};

/// Sets the calling thread's number of intra-op threads, in LibTorch and in OpenBLAS, which keeps a
/// number of its own. Cheap when it stands already.
void set_intra_op_threads(int threads);

}  // namespace dim::models
