#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <nlohmann/json_fwd.hpp>

namespace dim::tools {

/// The cluster under measurement.
struct bench_target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  /// A model with one FP32 input [n, 64].
  std::string model = "digits-mlp";
  /// The process whose memory is watched (the orchestrator's); 0: not measured.
  std::int64_t pid = 0;
  /// On the disk where the orchestrator has its store.
  std::filesystem::path scratch = "dim-bench-scratch";
  std::uint32_t seconds = 5;
};

/// Durable submissions (202 after the commit) over 32 connections with placement paused, beside the
/// bare loop, alternating three times; the ratio is of the medians. Leaves its jobs pending, and
/// resumes placement.
nlohmann::json measure_submissions(const bench_target& target);

/// One `single` job after the other, from POST to its stored result, on an idle cluster.
nlohmann::json measure_latency(const bench_target& target);

/// `single` jobs at a fixed rate of 500 a second; all must be completed, and soon after the last.
nlohmann::json measure_sustained(const bench_target& target);

/// Jobs at a fixed rate a second, mostly `single`; of twenty, one is replicated, one comparative,
/// and one chained (with the sample models). Tells what was accepted, not what became of it.
nlohmann::json measure_load(const bench_target& target, double rate);

/// `GET /api/v1/jobs?limit=50` with the jobs that are stored then, and the memory that the
/// orchestrator has grown by since `rss_at_start` bytes (RssAnon).
nlohmann::json measure_lists(const bench_target& target, std::uint64_t rss_at_start);

/// RssAnon of a process in bytes; 0 when it is not there.
std::uint64_t anonymous_bytes(std::int64_t pid);

}  // namespace dim::tools
