#include <ctime>
#include <memory>

#include <CLI/CLI.hpp>

#include "tools/dim/ca_folder.hpp"
#include "tools/dim/commands.hpp"
#include "tools/dim/fields_text.hpp"

namespace dim::tools {

namespace {

struct ca_wish {
  std::string folder = "./dim-ca";
  std::string name = "dim";
  std::vector<std::string> hosts;
  std::uint32_t days = 0;
  std::string file;
};

constexpr std::uint32_t authority_days = 3'650;
constexpr std::uint32_t certificate_days = 825;
constexpr std::uint32_t days_max = 36'500;

json fields_of(X509& certificate) {
  auto facts = runtime::facts_of(certificate, std::time(nullptr));
  return {{"subject", facts.subject},
          {"issuer", facts.issuer},
          {"names", facts.names},
          {"role", facts.is_authority ? "authority" : facts.is_peer ? "peer" : "other"},
          {"not_before", facts.not_before},
          {"not_after", facts.not_after},
          {"state", facts.is_early ? "not valid yet" : facts.left_s < 0 ? "expired" : "valid"},
          {"key", facts.key},
          {"serial", facts.serial},
          {"sha256", facts.fingerprint}};
}

/// Tells what was made, and then, to people, what to do with it.
int show_made(session& with, const ca_folder& folder, const std::string& name,
              const outcome<made_certificate>& made, const std::string& advice) {
  if (!made)
    return report(with.io(), made.error());
  auto fields = fields_of(*made->certificate);
  fields["certificate"] = folder.certificate_of(name).string();
  fields["key_file"] = folder.key_of(name).string();
  if (with.is_json()) {
    with.io().out << pretty(fields) << std::flush;
    return 0;
  }
  print_fields(with.io(), fields);
  with.io().out << advice << std::flush;
  return 0;
}

int init(session& with, const ca_wish& wish) {
  const ca_folder folder{wish.folder};
  const auto made =
    folder.init(wish.name, wish.days == 0 ? authority_days : wish.days, std::time(nullptr));
  const auto key = folder.key_of(ca_folder::authority).string();
  return show_made(with, folder, ca_folder::authority, made,
                   "\nWhoever has " + key + " can join the cluster and read everything: keep it\n"
                   + "off its machines. Next, for each machine:\n\n    dim ca issue NODE --dir "
                   + wish.folder + " --host NAME-OR-ADDRESS\n");
}

int issue(session& with, const ca_wish& wish) {
  const ca_folder folder{wish.folder};
  const auto made = folder.issue(wish.name, wish.hosts,
                                 wish.days == 0 ? certificate_days : wish.days, std::time(nullptr));
  return show_made(with, folder, wish.name, made,
                   "\nCopy these two files and "
                   + folder.certificate_of(ca_folder::authority).string() + " to " + wish.name
                   + ", and name them there in dimd.toml:\n\n    [tls]\n"
                   + "    certificate = \"" + wish.name + ".pem\"\n    key = \"" + wish.name
                   + ".key\"\n    ca = \"ca.pem\"\n");
}

int show(session& with, const ca_wish& wish) {
  const auto read = runtime::read_certificates(wish.file);
  if (!read)
    return report(with.io(), {exit_status::usage, read.error().message, "", {}});
  auto all = json::array();
  for (const auto& each : *read)
    all.push_back(fields_of(*each));
  if (with.is_json())
    with.io().out << pretty(all) << std::flush;
  else
    for (std::size_t i = 0; i < all.size(); ++i) {
      with.io().out << (i == 0 ? "" : "\n");
      print_fields(with.io(), all[i]);
    }
  with.io().out << std::flush;
  return 0;
}

CLI::App* add_part(CLI::App& ca, command& chosen, const std::shared_ptr<ca_wish>& wish,
                   const char* name, const char* words, int (*run)(session&, const ca_wish&)) {
  auto* added = ca.add_subcommand(name, words);
  added->callback([wish, run, &chosen] {
    chosen = [wish, run](session& with) { return run(with, *wish); };
  });
  added->fallthrough();
  return added;
}

void add_making(CLI::App& part, ca_wish& wish, const char* days) {
  part.add_option("--dir", wish.folder, "The folder of the certificates; ./dim-ca when not given");
  part.add_option("--days", wish.days, days)->check(CLI::Range(1u, days_max));
}

}  // namespace

void add_ca(CLI::App& app, command& chosen) {
  auto* ca = app.add_subcommand("ca", "Make and show the certificates of links between machines");
  ca->require_subcommand(1);
  const auto wish = std::make_shared<ca_wish>();
  auto* first = add_part(*ca, chosen, wish, "init", "Make the cluster's own authority", init);
  first->add_option("--name", wish->name, "The cluster's name; dim when not given");
  add_making(*first, *wish, "How long it is valid; 3650 when not given");
  auto* next = add_part(*ca, chosen, wish, "issue", "Make the certificate of one machine", issue);
  next->add_option("node", wish->name, "What to call it")->required();
  next->add_option("--host", wish->hosts,
                   "A host name or IP address of it; may be repeated. The name when not given");
  add_making(*next, *wish, "How long it is valid; 825 when not given");
  auto* last = add_part(*ca, chosen, wish, "show", "Show what is in a certificate", show);
  last->add_option("file", wish->file, "A file in PEM")->required();
}

}  // namespace dim::tools
