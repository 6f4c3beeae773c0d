#include "tests/cluster/job_load.hpp"

#include <cmath>
#include <memory>

#include "tests/cluster/samples.hpp"

namespace dim::tests {

namespace {

using nlohmann::json;
using std::chrono::milliseconds;

/// A gateway that is frozen is one that does not answer; the client asks again.
constexpr std::uint32_t patience_ms = 5'000;
constexpr milliseconds pause_before_repeat{100};
/// A submission that was never answered although everything is back.
constexpr auto repeats_end_after = std::chrono::seconds{60};

/// One job of each pattern that needs no cabinet, replicated with two sizes.
std::vector<json> sample_jobs(std::uint64_t timeout_ms) {
  auto& digit = sample_digits().front();
  std::vector<double> raw;
  for (auto pixel : digit.pixels)
    raw.push_back(std::round(pixel * 255));
  auto input = json::array({digit_input(digit.pixels)});
  std::vector<json> jobs{
    {{"pattern", "single"}, {"model", "digits-mlp"}, {"inputs", input}},
    {{"pattern", "replicated"},
     {"model", "digits-mlp"},
     {"redundancy", 3},
     {"consensus", 2},
     {"inputs", input}},
    {{"pattern", "comparative"},
     {"models", {"digits-mlp", "digits-linear"}},
     {"vote", {{"method", "majority"}}},
     {"inputs", input}},
    {{"pattern", "chained"},
     {"steps", json::array({{{"model", "standardize"}}, {{"model", "digits-mlp"}}})},
     {"inputs", json::array({digit_input(raw)})}}};
  for (auto& job : jobs)
    job["timeout_ms"] = timeout_ms;
  return jobs;
}

}  // namespace

const std::vector<std::string>& models_of_load() {
  static const std::vector<std::string> names{"digits-mlp", "digits-linear", "standardize"};
  return names;
}

std::int64_t wall_ms() {
  auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<milliseconds>(now).count();
}

job_load::job_load(std::uint16_t port, const load_shape& shape) : port_(port), shape_(shape) {
  for (auto& job : sample_jobs(shape_.job_timeout_ms))
    bodies_.push_back(job.dump());
  for (std::size_t index = 0; index < shape_.threads; ++index) {
    auto seed = shape_.seed * 1'000 + index;
    clients_.push_back(std::make_unique<client>(
      client{"client-" + std::to_string(index) + "-" + std::to_string(shape_.seed),
             runtime::random_source{seed},
             caller{port_, patience_ms},
             {},
             {},
             {}}));
  }
  for (auto& each : clients_)
    threads_.emplace_back([this, &x = *each] { run(x); });
}

job_load::~job_load() {
  is_stopping_ = true;
  for (auto& thread : threads_)
    if (thread.joinable())
      thread.join();
}

void job_load::stop_into(scenario::history& seen) {
  is_stopping_ = true;
  for (auto& thread : threads_)
    thread.join();
  threads_.clear();
  for (auto& each : clients_) {
    seen.submissions.insert(seen.submissions.end(), each->submissions.begin(),
                            each->submissions.end());
    seen.sightings.insert(seen.sightings.end(), each->sightings.begin(), each->sightings.end());
    complaints_.insert(complaints_.end(), each->complaints.begin(), each->complaints.end());
  }
}

void job_load::run(client& x) {
  while (!is_stopping_) {
    auto& body = bodies_.at(x.random.below(bodies_.size()));
    auto key = x.name + "-" + std::to_string(++x.made);
    auto id = submit(x, key, body);
    if (!id.empty()) {
      ++acknowledged_;
      if (x.random.unit() < shape_.cancelled)
        cancel(x, id);
      if (x.random.unit() < shape_.resubmitted)
        submit(x, key, body);
      look_at(x, x.submissions.at(x.random.below(x.submissions.size())).job_id);
    }
    rest(x, shape_.pause);
  }
}

std::string job_load::submit(client& x, const std::string& key, const std::string& body) {
  auto end = std::chrono::steady_clock::time_point::max();
  while (std::chrono::steady_clock::now() < end) {
    auto answer = x.gateway.post("/api/v1/jobs", body, key);
    if (answer.status == 202 || answer.status == 200) {
      auto id = answer.body.at("id").get<std::string>();
      x.submissions.push_back({key, id, wall_ms()});
      return id;
    }
    if (answer.status != 0 && answer.status < 500) {
      x.complaints.push_back("a good job was refused: " + answer.body.dump());
      return {};
    }
    if (is_stopping_ && end == std::chrono::steady_clock::time_point::max())
      end = std::chrono::steady_clock::now() + repeats_end_after;
    std::this_thread::sleep_for(pause_before_repeat);
  }
  x.complaints.push_back("the submission " + key + " was never answered");
  return {};
}

void job_load::look_at(client& x, const std::string& id) {
  auto answer = x.gateway.get("/api/v1/jobs/" + id);
  if (answer.status == 200)
    x.sightings.push_back({id, answer.body.value("status", ""), wall_ms()});
  else if (answer.status != 0 && answer.status < 500)
    x.complaints.push_back("job " + id + " was acknowledged, and is now answered with "
                           + answer.body.dump());
}

void job_load::cancel(client& x, const std::string& id) {
  auto answer = x.gateway.remove("/api/v1/jobs/" + id);
  if (answer.status == 200)
    x.sightings.push_back({id, answer.body.value("status", ""), wall_ms()});
}

void job_load::rest(client& x, milliseconds mean) const {
  constexpr milliseconds slice{50};
  auto left = milliseconds{static_cast<std::int64_t>(double(mean.count()) * 2 * x.random.unit())};
  for (; left.count() > 0 && !is_stopping_; left -= slice)
    std::this_thread::sleep_for(std::min(left, slice));
}

}  // namespace dim::tests
