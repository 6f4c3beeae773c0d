#include "gateway/metrics_page.hpp"

#include <doctest/doctest.h>

#include "actors/job/job_record.hpp"

using namespace dim;

namespace {

bool holds(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

actors::model_statistics sample_model() {
  actors::model_statistics model;
  model.model = "vision";
  model.version = "2";
  model.inference_count = 40;
  model.execution_count = 12;
  model.success = {11, 5'000'000};
  model.first_response.add(900);
  model.first_response.add(2'000'000'000);
  model.queue = {11, 1'500};
  model.input = {12, 2'000};
  model.forward = {12, 3'000'000};
  model.output = {12, 4'000};
  model.cache_hit = {3, 9'000};
  model.cache_miss = {8, 16'000};
  model.by_batch_size[4].forward = {10, 1};
  model.failures["REJECTED"] = 2;
  model.pending = 5;
  model.releases["full"] = 7;
  return model;
}

}  // namespace

TEST_CASE("a model's statistics stand under the names that its users know") {
  gateway::metrics_page page;
  page.add_models({{sample_model()}});
  auto text = page.text();
  CAPTURE(text);
  const std::string model = "{model=\"vision\",version=\"2\"} ";
  CHECK(holds(text, "nv_inference_request_success" + model + "11"));
  CHECK(holds(text, "nv_inference_count" + model + "40"));
  CHECK(holds(text, "nv_inference_exec_count" + model + "12"));
  CHECK(holds(text, "nv_inference_pending_request_count" + model + "5"));
  CHECK(holds(text, "nv_inference_request_duration_us" + model + "5000"));
  CHECK(holds(text, "nv_inference_queue_duration_us" + model + "1.5"));
  const std::string response = "nv_inference_first_response_histogram_ms";
  const std::string bucket = response + "_bucket{model=\"vision\",version=\"2\",le=";
  CHECK(holds(text, response + "_count" + model + "2"));
  CHECK(holds(text, response + "_sum" + model + "2000000.9"));
  CHECK(holds(text, bucket + "\"0.5\"} 0"));
  CHECK(holds(text, bucket + "\"1\"} 1"));
  CHECK(holds(text, bucket + "\"300000\"} 1"));
  CHECK(holds(text, bucket + "\"+Inf\"} 2"));
  CHECK(holds(text, "nv_inference_compute_input_duration_us" + model + "2"));
  CHECK(holds(text, "nv_inference_compute_infer_duration_us" + model + "3000"));
  CHECK(holds(text, "nv_inference_compute_output_duration_us" + model + "4"));
  CHECK(holds(text, "nv_cache_num_hits_per_model" + model + "3"));
  CHECK(holds(text, "nv_cache_num_misses_per_model" + model + "8"));
  CHECK(holds(text, "nv_cache_hit_duration_per_model" + model + "9"));
  CHECK(holds(text, "nv_cache_miss_duration_per_model" + model + "16"));
  const std::string labels = "{model=\"vision\",version=\"2\",";
  CHECK(holds(text, "nv_inference_request_failure" + labels + "reason=\"REJECTED\"} 2"));
  CHECK(holds(text, "nv_inference_request_failure" + labels + "reason=\"OTHER\"} 0"));
  CHECK(holds(text, "dim_inference_batches_total" + labels + "batch_size=\"4\"} 10"));
  CHECK(holds(text, "dim_inference_batch_releases_total" + labels + "reason=\"full\"} 7"));
}

TEST_CASE("a node's facts and load stand under its id and its name") {
  actors::node_record node;
  node.facts.id = "n1";
  node.facts.name = "left";
  node.facts.cpu_cores = 4;
  node.facts.memory_bytes = 1'000;
  node.facts.devices.push_back({"cpu:0-3", "cpu", "a processor", 4, 1'000, 2});
  node.state = actors::node_state::quarantined;
  node.quarantine.active = true;
  node.reputation = 95.0;
  node.successful_jobs_run = 6;
  node.failed_jobs = 1;
  node.last_heartbeat = 1'500;
  node.load.cpu_permille = 250;
  node.load.cache_used_bytes = 33;
  node.load.queued = 2;
  node.load.active = {"e1", "e2", "e3"};
  node.load.devices.push_back(
    {"cpu:0-3", 600, 3, 4'500'000, {{"digits", "2", 2, 1'250'000}, {"new", "1", 1, 0}}});
  runtime::duration_histogram took;
  took.add(1'250'000);
  node.load.devices.back().loads_by_model.push_back({"digits", "2", took});
  node.load.gpus.push_back({"cuda:0", "GPU-7", 80'000, 3'000, 420, 310'500, 700'000, 0});
  gateway::metrics_page page;
  page.add_nodes({{node}});
  auto text = page.text();
  CAPTURE(text);
  const std::string labels = "{node_id=\"n1\",node=\"left\"";
  const std::string digits = labels + ",device=\"cpu:0-3\",model=\"digits\",version=\"2\"";
  CHECK(holds(text, "dim_model_load_duration_seconds_bucket" + digits + ",le=\"1\"} 0"));
  CHECK(holds(text, "dim_model_load_duration_seconds_bucket" + digits + ",le=\"2.5\"} 1"));
  CHECK(holds(text, "dim_model_load_duration_seconds_sum" + digits + "} 1.25"));
  const std::string gpu = labels + ",device=\"cuda:0\",gpu_uuid=\"GPU-7\"} ";
  CHECK(holds(text, "nv_gpu_utilization" + gpu + "0.42"));
  CHECK(holds(text, "nv_gpu_memory_total_bytes" + gpu + "80000"));
  CHECK(holds(text, "nv_gpu_memory_used_bytes" + gpu + "3000"));
  CHECK(holds(text, "nv_gpu_power_usage" + gpu + "310.5"));
  CHECK(holds(text, "nv_gpu_power_limit" + gpu + "700"));
  CHECK(text.find("nv_energy_consumption{") == std::string::npos);
  CHECK(holds(text, "dim_node_up" + labels + "} 1"));
  CHECK(holds(text, "dim_node_state" + labels + ",state=\"quarantined\"} 1"));
  CHECK(holds(text, "dim_node_quarantined" + labels + "} 1"));
  CHECK(holds(text, "dim_node_reputation" + labels + "} 95"));
  CHECK(holds(text, "dim_node_executions_total" + labels + ",outcome=\"successful\"} 6"));
  CHECK(holds(text, "dim_node_executions_total" + labels + ",outcome=\"failed\"} 1"));
  CHECK(holds(text, "dim_node_last_heartbeat_timestamp_seconds" + labels + "} 1.5"));
  CHECK(holds(text, "dim_node_cpu_ratio" + labels + "} 0.25"));
  CHECK(holds(text, "dim_node_cache_used_bytes" + labels + "} 33"));
  CHECK(holds(text, "dim_node_queued" + labels + "} 2"));
  CHECK(holds(text, "dim_node_active_executions" + labels + "} 3"));
  const std::string device = labels + ",device=\"cpu:0-3\"";
  CHECK(holds(text, "dim_device_slots" + device + ",kind=\"cpu\"} 2"));
  CHECK(holds(text, "dim_device_memory_used_bytes" + device + ",kind=\"cpu\"} 600"));
  CHECK(holds(text, "dim_model_loads_total" + device + ",kind=\"cpu\"} 3"));
  CHECK(holds(text, "dim_model_load_seconds_total" + device + ",kind=\"cpu\"} 4.5"));
  CHECK(holds(text, "dim_agent_workers" + device + ",model=\"digits\",version=\"2\"} 2"));
  CHECK(holds(text, "dim_agent_workers" + device + ",model=\"new\",version=\"1\"} 1"));
  CHECK(holds(text, "nv_model_load_duration_secs" + device +
                      ",model=\"digits\",version=\"2\"} 1.25"));
  CHECK(text.find("nv_model_load_duration_secs" + device + ",model=\"new\"") ==
        std::string::npos);
}

TEST_CASE("a node that is offline has no agents, whatever it said last") {
  actors::node_record node;
  node.facts.id = "n1";
  node.facts.name = "left";
  node.facts.devices.push_back({"cpu:0", "cpu", "", 1, 1'000, 2});
  node.state = actors::node_state::offline;
  node.load.devices.push_back({"cpu:0", 600, 3, 4'500'000, {{"digits", "2", 2, 1'250'000}}});
  gateway::metrics_page page;
  page.add_nodes({{node}});
  auto text = page.text();
  CHECK(holds(text, "dim_device_slots{node_id=\"n1\",node=\"left\",device=\"cpu:0\",kind="
                    "\"cpu\"} 2"));
  CHECK(text.find("dim_agent_workers{") == std::string::npos);
  CHECK(text.find("dim_device_memory_used_bytes{") == std::string::npos);
}

TEST_CASE("jobs and nodes are told by their state, those that there are none of as well") {
  actors::cluster_status status;
  status.jobs_by_state = {1, 2, 3, 4, 5, 6};
  status.nodes_online = 7;
  status.executions_waiting = 8;
  status.read_only = true;
  gateway::metrics_page page;
  page.add_status(status);
  auto text = page.text();
  CAPTURE(text);
  CHECK(holds(text, "jobs_total{status=\"pending\"} 1"));
  CHECK(holds(text, "jobs_total{status=\"cancelled\"} 6"));
  CHECK(holds(text, "nodes_total{status=\"online\"} 7"));
  CHECK(holds(text, "nodes_total{status=\"offline\"} 0"));
  CHECK(holds(text, "dim_executions_waiting 8"));
  CHECK(holds(text, "dim_store_read_only 1"));
}

TEST_CASE("what the orchestrator counts is shown once, wherever it runs") {
  const std::string counted = "# HELP dim_last_event x\n# TYPE dim_last_event gauge\n"
                              "dim_last_event 3\n";
  gateway::metrics_page apart;
  apart.add_process({runtime::process_number() + 1, counted});
  CHECK(holds(apart.text(), "dim_last_event 3"));
  gateway::metrics_page here;
  here.add_process({runtime::process_number(), counted});
  CHECK(here.text().find("dim_last_event") == std::string::npos);
}

TEST_CASE("the machine's processor and memory are on the page, and which parts have answered") {
  gateway::metrics_page page;
  page.add_machine();
  page.add_source("nodes", true);
  page.add_source("models", false);
  auto text = page.text();
  CHECK(text.find("\nnv_cpu_utilization ") != std::string::npos);
  CHECK(text.find("\nnv_cpu_memory_total_bytes ") != std::string::npos);
  CHECK(text.find("\nnv_cpu_memory_used_bytes ") != std::string::npos);
  CHECK(holds(text, "dim_metrics_source_up{source=\"nodes\"} 1"));
  CHECK(holds(text, "dim_metrics_source_up{source=\"models\"} 0"));
}
