#include "models/determinism.hpp"

#include <cstdint>
#include <cstdlib>

#include <dlfcn.h>

#include <ATen/Context.h>
#include <ATen/Parallel.h>

namespace dim::models {

namespace {

constexpr std::uint64_t fixed_seed = 0;

/// Runs share it; a deterministic run holds it alone, because its switches are the process's.
std::shared_mutex& run_mutex() {
  static std::shared_mutex mutex;
  return mutex;
}

}  // namespace

void fix_process_settings() {
  static std::once_flag once;
  std::call_once(once, [] {
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    at::Context& context = at::globalContext();
    context.setAllowTF32CuBLAS(false);
    context.setAllowTF32CuDNN(false);
    context.setBenchmarkCuDNN(false);
    context.setFlushDenormal(false);
  });
}

run_mode::run_mode(bool deterministic) {
  if (!deterministic) {
    shared_ = std::shared_lock(run_mutex());
    return;
  }
  alone_ = std::unique_lock(run_mutex());
  // An operation without a deterministic form warns instead of failing: the comparison of the
  // answers decides in the end.
  at::globalContext().setDeterministicAlgorithms(true, true);
  at::manual_seed(fixed_seed);
}

run_mode::~run_mode() {
  if (alone_.owns_lock())
    at::globalContext().setDeterministicAlgorithms(false, false);
}

void set_intra_op_threads(int threads) {
  thread_local int current = 0;
  if (current == threads)
    return;
  at::set_num_threads(threads);
  using setter = void (*)(int);
  if (const auto set = reinterpret_cast<setter>(::dlsym(RTLD_DEFAULT, "openblas_set_num_threads")))
    set(threads);
  current = threads;
}

}  // namespace dim::models
