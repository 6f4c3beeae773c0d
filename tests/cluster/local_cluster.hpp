#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "tools/bench/http_load.hpp"

namespace dim::tests {

/// A program that runs until it is told to end, or the test does.
class process {
public:
  process() = default;
  /// Standard output and error go to `log`. The process dies with the test.
  process(const std::string& program, const std::vector<std::string>& arguments,
          const std::filesystem::path& log);
  process(process&& other) noexcept;
  process& operator=(process&& other) noexcept;
  ~process();

  std::int64_t pid() const {
    return pid_;
  }
  bool is_running();
  void signal(int number) const;
  /// Waits for its end: the exit status, 128 + signal, or nothing when it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);

private:
  std::int64_t pid_ = 0;
  std::optional<int> status_;
};

/// One orchestrator with its gateway, and nodes, each a real `dimd` on loopback with ports of its
/// own choice and a data folder of its own. Everything is removed with the object, unless a check
/// failed.
class local_cluster {
public:
  explicit local_cluster(std::size_t nodes, std::vector<std::string> flags = {});
  ~local_cluster();

  void start_orchestrator();
  void start_node(std::size_t index);

  process& orchestrator() {
    return orchestrator_;
  }
  process& node(std::size_t index) {
    return nodes_.at(index);
  }
  std::filesystem::path folder() const {
    return folder_;
  }
  std::uint16_t port() const {
    return port_;
  }

  /// Puts the sample models of the build into the catalogue, over HTTP.
  void push_samples(const std::vector<std::string>& names);

  /// Puts one model file into the catalogue, through `dim push`.
  void push(const std::string& name, const std::filesystem::path& file,
            const std::filesystem::path& config);

  struct reply {
    unsigned status = 0;
    nlohmann::json body;
  };
  reply get(const std::string& target) const;
  reply post(const std::string& target, const nlohmann::json& body,
             const std::string& headers = {}) const;
  reply remove(const std::string& target) const;

  /// Submits a job and returns its id; fails the test unless it is accepted.
  std::string submit(const nlohmann::json& job) const;
  /// Waits for the job's end and returns the job; fails the test when it does not come in time.
  nlohmann::json finish(const std::string& id,
                        std::chrono::milliseconds limit = std::chrono::seconds{60}) const;
  /// Waits as `finish` does, and returns the status alone: for jobs with large answers.
  std::string finish_state(const std::string& id,
                           std::chrono::milliseconds limit = std::chrono::seconds{60}) const;
  /// Asks again and again until `is_so`; fails the test when it does not come true in time.
  void wait_until(const std::string& what, const std::function<bool()>& is_so,
                  std::chrono::milliseconds limit = std::chrono::seconds{30}) const;
  std::size_t nodes_online() const;
  /// The end of every process's log, for a message.
  std::string logs() const;

private:
  nlohmann::json ports_of(const std::filesystem::path& file, process& owner) const;

  std::filesystem::path folder_;
  std::vector<std::string> flags_;
  process orchestrator_;
  std::vector<process> nodes_;
  std::uint16_t port_ = 0;
  std::uint16_t cluster_port_ = 0;
};

/// A row of 64 pixels in the form of a job's input "x".
nlohmann::json digit_input(const std::vector<double>& pixels);

/// Held-out digits with their labels, as `sample-models` wrote them.
struct digit {
  std::vector<double> pixels;
  int label = 0;
};
const std::vector<digit>& sample_digits();

/// Where the sample models are; they are made at the first call, once for all test programs.
std::filesystem::path sample_folder();

}  // namespace dim::tests
