#include "tools/dim/command_line.hpp"

int main(int argc, char** argv) {
  auto io = dim::tools::process_console();
  return dim::tools::run_command_line(argc, argv, io);
}
