#include "models/device.hpp"


#include <doctest/doctest.h>

#include "tests/models/tensors.hpp"

using namespace dim;
using models::device_info;
using models::device_kind;
using models::device_name;

TEST_CASE("device names are read and written") {
  for (const std::string text : {"cpu:0", "cpu:3-7", "cuda:0", "cuda:12"}) {
    const auto device = models::parse_device(text);
    REQUIRE(device.has_value());
    CHECK(models::to_string(*device) == text);
  }
  CHECK(models::parse_device("cpu:2-4")->cores() == std::vector<std::uint32_t>{2, 3, 4});
  CHECK(models::parse_device("cuda:1")->cores().empty());
  CHECK(models::to_string(models::parse_device("cpu:1-1").value()) == "cpu:1");
}

TEST_CASE("what is no device name is refused with the forms that are") {
  for (const std::string text : {"", "cpu", "cpu:", "cpu:-1", "cpu:2-1", "cpu:0-", "cpu:0,1",
                                 "cuda:0-1", "cuda:x", "gpu:0", "cpu:99999999999", "cpu: 0"}) {
    CAPTURE(text);
    const auto device = models::parse_device(text);
    REQUIRE_FALSE(device.has_value());
    CHECK(device.error().code == runtime::error_code::bad_input);
    CHECK(device.error().message.find("cpu:0-3") != std::string::npos);
  }
}

TEST_CASE("without configuration, every CUDA device is offered, else every core") {
  const device_info gpu{{device_kind::cuda, 0, 0}, "card", 10, 1000};
  CHECK(models::choose_devices({}, {gpu}).value() == std::vector<device_info>{gpu});
  const auto cores = models::choose_devices({}, {});
  REQUIRE(cores.has_value());
  REQUIRE(cores->size() == models::available_cores().size());
  CHECK(cores->front().name.first == models::available_cores().front());
  CHECK(cores->front().cores == 1);
  CHECK(cores->front().memory_bytes > 0);
  CHECK_FALSE(cores->front().model.empty());
}

TEST_CASE("configured devices are offered as they are named") {
  const device_info gpu{{device_kind::cuda, 1, 1}, "card", 10, 1000};
  const std::string core = "cpu:" + std::to_string(models::available_cores().front());
  const auto devices = models::choose_devices({core, "cuda:1"}, {gpu});
  REQUIRE(devices.has_value());
  REQUIRE(devices->size() == 2);
  CHECK(models::to_string(devices->front().name) == core);
  CHECK(devices->back() == gpu);
}

TEST_CASE("every configured device that can not be used is named") {
  const std::string core = "cpu:" + std::to_string(models::available_cores().front());
  const auto devices = models::choose_devices({core, core, "cuda:0", "cpu:1000", "disk:0"}, {});
  REQUIRE_FALSE(devices.has_value());
  const auto& problems = devices.error().details;
  CHECK(tests::any_contains(problems, core + ": overlaps with " + core));
  CHECK(tests::any_contains(problems, "cuda:0: this machine has no such CUDA device"));
  CHECK(tests::any_contains(problems, "may not run on core 1000"));
  CHECK(tests::any_contains(problems, "\"disk:0\" is no device"));
  CHECK(problems.size() == 4);
}

TEST_CASE("the description of devices reads back equal") {
  const std::vector<device_info> devices{{{device_kind::cuda, 0, 0}, "A card\twith a tab", 132, 9},
                                         {{device_kind::cpu, 0, 3}, "", 4, 1'000'000'000'000}};
  auto expected = devices;
  expected.front().model = "A card with a tab";
  CHECK(models::devices_from_text(models::to_text(devices)).value() == expected);
  CHECK(models::devices_from_text("").value().empty());
  const auto broken = models::devices_from_text("cuda:0\t1\t2\tcard\nnonsense\n");
  REQUIRE_FALSE(broken.has_value());
  CHECK(broken.error().message.find("line 2") != std::string::npos);
}
