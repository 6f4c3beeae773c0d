// Real disks that are full, and databases that are damaged, under a real daemon.
#include <doctest/doctest.h>

#include <csignal>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "runtime/store.hpp"
#include "tests/cluster/local_cluster.hpp"
#include "tests/support/temporary_folder.hpp"

using namespace dim;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A file system of its own in memory, as large as it is told.
class small_disk {
public:
  small_disk(const fs::path& folder, std::size_t bytes) : folder_(folder) {
    fs::create_directories(folder);
    auto options = "size=" + std::to_string(bytes);
    is_mounted_ = ::mount("tmpfs", folder.c_str(), "tmpfs", 0, options.c_str()) == 0;
  }
  ~small_disk() {
    if (is_mounted_)
      ::umount2(folder_.c_str(), MNT_DETACH);
  }
  bool is_mounted() const {
    return is_mounted_;
  }

private:
  fs::path folder_;
  bool is_mounted_ = false;
};

/// Takes all that is left of the disk.
void fill(const fs::path& file) {
  auto descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  std::vector<char> block(4'096, 'x');
  while (::write(descriptor, block.data(), block.size()) > 0) {
  }
  ::close(descriptor);
}

/// An orchestrator with its gateway on a data folder.
struct lone_orchestrator {
  explicit lone_orchestrator(const fs::path& data, const fs::path& place)
    : data(data), log(place / "dimd.log"), port(tests::unused_port()) {
    fs::create_directories(place);
    start();
  }

  void start() {
    daemon = tests::process{tests::program_path("dimd"),
                            {"--cluster.roles=orchestrator,gateway",
                             "--cluster.data_dir=" + data.string(), "--cluster.port=0",
                             "--cluster.port_file=" + (log.parent_path() / "ports.json").string(),
                             "--gateway.port=" + std::to_string(port)},
                            log};
  }

  tests::reply get(const std::string& target) const {
    return tests::caller{port, 5'000}.get(target);
  }

  tests::reply submit(const std::string& name = "a job") const {
    json job{{"pattern", "single"},
             {"name", name},
             {"model", "digits-mlp"},
             {"inputs", json::array({tests::digit_input(
                          tests::sample_digits().front().pixels)})}};
    return tests::caller{port, 5'000}.post("/api/v1/jobs", job.dump());
  }

  void push_model() const {
    auto model = tests::sample_folder() / "models" / "digits-mlp";
    tests::process push{tests::program_path("dim"),
                        {"--url", "http://127.0.0.1:" + std::to_string(port), "push", "digits-mlp",
                         (model / "1" / "model.pt").string(), "--config",
                         (model / "config.toml").string()},
                        log.parent_path() / "push.log"};
    REQUIRE(push.wait(seconds{60}) == 0);
  }

  bool wait_until(const std::function<bool()>& is_so) const {
    auto end = std::chrono::steady_clock::now() + seconds{30};
    while (!is_so()) {
      if (std::chrono::steady_clock::now() > end)
        return false;
      ::usleep(20'000);
    }
    return true;
  }

  bool is_ready() const {
    return get("/health/ready").status == 200;
  }

  fs::path data;
  fs::path log;
  std::uint16_t port;
  tests::process daemon;
};

/// Flips one bit in a file, in place, wherever `marker` stands. Returns how often it did.
int flip(const fs::path& file, const std::string& marker) {
  std::ifstream input{file, std::ios::binary};
  std::string content{std::istreambuf_iterator<char>{input}, {}};
  auto descriptor = ::open(file.c_str(), O_WRONLY | O_CLOEXEC);
  int flips = 0;
  for (auto at = content.find(marker); at != content.npos; at = content.find(marker, at + 1)) {
    char changed = static_cast<char>(content[at] ^ 1);
    flips += ::pwrite(descriptor, &changed, 1, static_cast<off_t>(at)) == 1;
  }
  ::close(descriptor);
  return flips;
}

/// How a daemon ends that can not start, and what it says.
struct refused_start {
  int status = 0;
  std::string words;
};

refused_start start_on(const fs::path& data) {
  tests::temporary_folder place;
  auto log = place / "dimd.log";
  tests::process daemon{tests::program_path("dimd"),
                        {"--cluster.roles=orchestrator", "--cluster.data_dir=" + data.string(),
                         "--cluster.port=0", "--log.level=off"},
                        log};
  auto status = daemon.wait(seconds{30});
  return {status.value_or(-1), tests::tail_of(log, 4'000)};
}

}  // namespace

TEST_CASE("a full disk refuses jobs, still reads, loses nothing, and takes jobs again by itself") {
  tests::temporary_folder place;
  small_disk disk{place / "disk", 12 << 20};
  if (!disk.is_mounted()) {
    MESSAGE("skipped: this process may not mount a file system");
    CHECK_FALSE(disk.is_mounted());
    return;
  }
  {
    lone_orchestrator one{place / "disk" / "data", place / "logs"};
    REQUIRE(one.wait_until([&] { return one.is_ready(); }));
    one.push_model();
    std::vector<std::string> accepted;
    auto note = [&](const tests::reply& answer) {
      if (answer.status == 202)
        accepted.push_back(answer.body.at("id").get<std::string>());
      return answer.status;
    };
    CHECK(note(one.submit()) == 202);
    fill(place / "disk" / "filler");
    // What LMDB has left in its file may take a few more.
    unsigned status = 202;
    for (int tries = 0; tries < 2'000 && status == 202; ++tries)
      status = note(one.submit());
    CHECK(status == 507);
    auto ready = one.get("/health/ready");
    CHECK(ready.status == 503);
    CHECK(ready.body.dump().find("store_full") != std::string::npos);
    for (auto& id : accepted)
      CHECK(one.get("/api/v1/jobs/" + id).status == 200);
    fs::remove(place / "disk" / "filler");
    CHECK(one.wait_until([&] { return one.is_ready(); }));
    CHECK(note(one.submit()) == 202);
    one.daemon.kill();
    one.start();
    REQUIRE(one.wait_until([&] { return one.is_ready(); }));
    for (auto& id : accepted)
      CHECK(one.get("/api/v1/jobs/" + id).status == 200);
  }
}

TEST_CASE("a value that is damaged while the daemon runs makes it read-only, and health says why") {
  tests::temporary_folder place;
  lone_orchestrator one{place / "data", place / "logs"};
  REQUIRE(one.wait_until([&] { return one.is_ready(); }));
  one.push_model();
  auto damaged = one.submit("a name to be damaged").body.at("id").get<std::string>();
  auto whole = one.submit("another").body.at("id").get<std::string>();
  CHECK(flip(place / "data" / "store" / "data.mdb", "a name to be damaged") > 0);
  auto read = one.get("/api/v1/jobs/" + damaged);
  CHECK(read.status == 500);
  CHECK(read.body.value("code", "") == "store_corrupt");
  CHECK(one.get("/api/v1/jobs/" + whole).status == 200);
  CHECK(one.submit().body.value("code", "") == "store_corrupt");
  auto ready = one.get("/health/ready");
  CHECK(ready.status == 503);
  CHECK(ready.body.dump().find("store_corrupt") != std::string::npos);
  CHECK(one.daemon.is_running());
  one.daemon.kill();
  auto again = start_on(place / "data");
  CAPTURE(again.words);
  CHECK(again.status == 1);
  CHECK(again.words.find("store_corrupt") != std::string::npos);
}

TEST_CASE("a database that is cut short, or of a newer program, ends dimd with a named error") {
  tests::temporary_folder place;
  {
    lone_orchestrator one{place / "data", place / "logs"};
    REQUIRE(one.wait_until([&] { return one.is_ready(); }));
    one.daemon.signal(SIGTERM);
    REQUIRE(one.daemon.wait(seconds{30}) == 0);
  }
  auto file = place / "data" / "store" / "data.mdb";
  {
    runtime::store_settings settings;
    settings.folder = place / "data" / "store";
    settings.map_bytes = 64 << 20;
    settings.schema_version = 1'000;
    for (std::uint32_t version = 0; version < 1'000; ++version)
      settings.migrations.push_back({version, [](auto&) { return runtime::expected<void>{}; }});
    REQUIRE(runtime::store::open(settings));
  }
  auto newer = start_on(place / "data");
  CHECK(newer.status == 1);
  CHECK(newer.words.find("unsupported") != std::string::npos);
  CHECK(newer.words.find("a newer program has written it") != std::string::npos);
  fs::resize_file(file, fs::file_size(file) / 3);
  auto cut = start_on(place / "data");
  CHECK(cut.status == 1);
  CHECK(cut.words.find("store_corrupt") != std::string::npos);
}
