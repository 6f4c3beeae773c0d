// dim-forward: runs a model over and over on zeros of one shape, on one thread, and prints how many
// forwards it did a second: what is left to a server that costs nothing.
#include <ATen/Parallel.h>
#include <torch/script.h>

#include <chrono>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

namespace {

constexpr int forwards_before = 20;

std::vector<std::int64_t> parse_shape(const std::string& text) {
  std::vector<std::int64_t> shape;
  std::istringstream in{text};
  for (std::string part; std::getline(in, part, 'x');)
    shape.push_back(std::stoll(part));
  return shape;
}

}  // namespace

int main(int argc, char** argv) {
  using clock = std::chrono::steady_clock;
  if (argc != 4) {
    std::cerr << "usage: dim-forward MODEL.pt SHAPE SECONDS, as dim-forward model.pt 8x3x64x64 2\n";
    return 2;
  }
  at::set_num_threads(1);
  at::set_num_interop_threads(1);
  auto program = torch::jit::load(argv[1]);
  program.eval();
  program = torch::jit::freeze(program);
  c10::InferenceMode guard;
  auto input = torch::zeros(parse_shape(argv[2]));
  for (int count = 0; count < forwards_before; ++count)
    program.forward({input});
  auto seconds = std::chrono::duration<double>{std::stod(argv[3])};
  auto begin = clock::now();
  auto count = 0;
  for (; clock::now() - begin < seconds; ++count)
    program.forward({input});
  auto took = std::chrono::duration<double>(clock::now() - begin).count();
  std::cout << "{\"forwards_per_s\":" << count / took << "}" << std::endl;
}
