#include "tools/sample_models/model_folder.hpp"

#include <fstream>
#include <stdexcept>

#include "models/model.hpp"

namespace dim::tools {

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(text.data(), static_cast<std::streamsize>(text.size()));
  file.close();
  if (!file)
    throw std::runtime_error("can not write " + path.string());
}

runtime::expected<void> write_model(const std::filesystem::path& folder, sample_model& model) {
  const std::filesystem::path place = folder / model.spec.name;
  write_file(place / "config.toml", models::to_toml(model.spec));
  const std::filesystem::path file = place / "1" / "model.pt";
  std::filesystem::create_directories(file.parent_path());
  model.module.eval();
  model.module.save(file.string());
  return models::verify_model_file(file, model.spec);
}

}  // namespace dim::tools
