#pragma once

#include <string>

#include "actors/cluster/messages.hpp"
#include "actors/router/messages.hpp"
#include "runtime/directory_messages.hpp"
#include "runtime/metrics.hpp"

namespace dim::gateway {

/// One answer to `GET /metrics`: what this process has counted, what the orchestrator's has when
/// that is another one, and what the actors know of the cluster, its nodes and its models. Each
/// `add_` is called at most once.
class metrics_page {
public:
  void add_process(const runtime::process_metrics& orchestrator);
  void add_status(const actors::cluster_status& status);
  void add_nodes(const actors::node_list& list);
  void add_models(const actors::model_statistics_list& list);
  /// Processor and memory of this machine.
  void add_machine();
  /// Whether a part of the page was answered; once a part.
  void add_source(const std::string& name, bool answered);

  /// Prometheus' text format 0.0.4.
  std::string text() const;

private:
  runtime::metric_page known_;
  std::string orchestrator_;
};

}  // namespace dim::gateway
