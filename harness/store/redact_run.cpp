#include "harness/store/redact_run.hpp"

#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <utility>

#include "harness/host/build_info.hpp"
#include "harness/http/url.hpp"
#include "harness/json.hpp"
#include "harness/store/durable_file.hpp"
#include "harness/store/subprocess.hpp"
#include "harness/trial/trace_file.hpp"

namespace precipice {
namespace {

namespace fs = std::filesystem;

bool in_path(char c) {
  return std::string_view(" \t\n\r\"'`(),;:=<>[]{}|").find(c) == std::string_view::npos;
}

/// Of the kernel and the same on every machine.
bool says_nothing(std::string_view path) {
  return path.starts_with("/dev/") || path.starts_with("/proc/") || path.starts_with("/sys/");
}

std::string without_paths(std::string_view text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    // A path begins with /, ~/, ./ or ../ where no word goes before it: 5000/s is none.
    std::size_t slash = at;
    if (text[slash] == '~') {
      ++slash;
    } else {
      while (slash < text.size() && slash < at + 2 && text[slash] == '.') ++slash;
    }
    const bool begins = (at == 0 || !(in_path(text[at - 1]))) && slash + 1 < text.size() &&
                        text[slash] == '/' && in_path(text[slash + 1]);
    std::size_t end = at;
    while (begins && end < text.size() && in_path(text[end])) ++end;
    while (end > at && text[end - 1] == '.') --end;
    const std::string_view path = text.substr(at, end - at);
    const bool parts = std::count(path.begin(), path.end(), '/') >= (slash > at ? 1 : 2);
    if (begins && parts && !says_nothing(path)) {
      result += "(path)";
      at = end;
    } else {
      result += text[at++];
    }
  }
  return result;
}

std::string without_mail(std::string_view text) {
  const auto belongs = [](char c) { return in_word(c) || c == '.' || c == '-' || c == '+'; };
  std::string result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const bool between = text[at] == '@' && !result.empty() && belongs(result.back()) &&
                         at + 1 < text.size() &&
                         std::isalpha(static_cast<unsigned char>(text[at + 1])) != 0;
    if (!between) {
      result += text[at];
      continue;
    }
    while (!result.empty() && belongs(result.back())) result.pop_back();
    while (at + 1 < text.size() && belongs(text[at + 1])) ++at;
    result += "(address)";
  }
  return result;
}

std::string without_trace(std::string text) {
  const std::string_view opening = "trace(";
  for (std::size_t at = text.find(opening); at != std::string::npos;
       at = text.find(opening, at + 1)) {
    const std::size_t begin = at + opening.size(), end = text.find(')', begin);
    if (end != std::string::npos) text.replace(begin, end - begin, kTraceName);
  }
  return text;
}

/// What names a cell or a trial is what the files are joined by: it stays.
bool joins(const std::string& field) {
  static const std::set<std::string> fields = {"kind",  "key",      "series", "workload", "model",
                                               "phase", "checksum", "cause",  "gate",     "suite"};
  return fields.contains(field);
}

Json anonymous_json(Json json, const Secrets& secrets) {
  if (json.is_string()) return anonymous_text(json.get<std::string>(), secrets);
  if (json.is_object()) {
    for (auto& [field, value] : json.items()) {
      if (!joins(field) || value.is_structured()) value = anonymous_json(std::move(value), secrets);
    }
  } else if (json.is_array()) {
    for (Json& value : json) value = anonymous_json(std::move(value), secrets);
  }
  return json;
}

std::string anonymous_manifest(const std::string& text, const Secrets& secrets) {
  Json manifest = Json::parse(text);
  const Json order = manifest.value("order", Json::array());
  if (manifest.contains("argv")) {
    manifest["argv"] = anonymous_argv(manifest["argv"].get<std::vector<std::string>>(), secrets);
  }
  manifest = anonymous_json(std::move(manifest), secrets);
  manifest["order"] = order;
  return json_text(manifest, 2) + "\n";
}

std::string anonymous_machine(const std::string& text, const Secrets& secrets) {
  Json environment = anonymous_environment(Json::parse(text), secrets);
  // The versions of libraries look like addresses.
  Json libraries;
  if (environment.contains("build")) libraries = environment["build"].value("libraries", Json());
  environment = anonymous_json(std::move(environment), secrets);
  if (!libraries.is_null()) environment["build"]["libraries"] = std::move(libraries);
  return json_text(environment, 2) + "\n";
}

std::string anonymous_journal(const std::string& text, const Secrets& secrets) {
  std::istringstream lines(text);
  std::string result;
  for (std::string line; std::getline(lines, line);) {
    const Json json = Json::parse(line, nullptr, false);
    if (json.is_discarded()) continue;  // torn: holds nothing that is read
    result += json_text(anonymous_json(json, secrets)) + '\n';
  }
  return result;
}

bool is_text(std::string_view bytes) { return bytes.find('\0') == std::string_view::npos; }

/// A program without line breaks, as in a page: full of words of two letters.
bool is_minified(std::string_view text) {
  constexpr std::size_t kLongest = 20'000;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    if (end - begin > kLongest) return true;
    begin = end + 1;
  }
  return false;
}

void gather_homes(const std::string& text, std::set<std::string>& users) {
  for (const std::string_view place : {"/home/", "/Users/"}) {
    for (std::size_t at = text.find(place); at != std::string::npos;
         at = text.find(place, at + 1)) {
      std::size_t end = at + place.size();
      const std::size_t begin = end;
      while (end < text.size() && (in_word(text[end]) || text[end] == '-' || text[end] == '.'))
        ++end;
      if (end > begin) users.insert(text.substr(begin, end - begin));
    }
  }
}

/// Who the packer is by the password file and by git, and where git sends the source.
void gather_author(std::vector<std::string>& names) {
  if (const passwd* user = getpwuid(getuid()); user != nullptr && user->pw_gecos != nullptr) {
    const std::string gecos = user->pw_gecos;
    if (const std::string name = gecos.substr(0, gecos.find(',')); !name.empty() && name != "root")
      names.push_back(name);
  }
  std::string settings;
  try {
    settings =
        run_tool({"git", "config", "--get-regexp", R"(^(user\.(name|email)|remote\..*\.url)$)"},
                 source_directory());
  } catch (const std::exception&) {
    return;  // no git, no repository or no such setting: nothing to hide
  }
  std::istringstream lines(settings);
  for (std::string line; std::getline(lines, line);) {
    if (const std::size_t space = line.find(' '); space != std::string::npos)
      names.push_back(line.substr(space + 1));
  }
}

/// The texts in quotes of a line of TOML.
std::vector<std::string> quoted_in(const std::string& line) {
  std::vector<std::string> texts;
  for (std::size_t at = line.find('"'); at != std::string::npos; at = line.find('"', at)) {
    std::string text;
    for (++at; at < line.size() && line[at] != '"'; ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
      text += line[at];
    }
    if (at++ < line.size()) texts.push_back(std::move(text));
  }
  return texts;
}

/// Whether the value of a header is the same for everybody who sends it.
bool says_little(std::string_view header) {
  for (const std::string_view name : {"accept", "content-", "user-agent:", "cache-control:"}) {
    const bool same = header.size() >= name.size() &&
                      std::equal(name.begin(), name.end(), header.begin(), [](char a, char b) {
                        return a == std::tolower(static_cast<unsigned char>(b));
                      });
    if (same) return true;
  }
  return false;
}

/// A host by its name. Addresses are taken out wherever they are.
void add_host(std::string host, std::vector<std::string>& names) {
  if (host.find_first_not_of("0123456789.:[]") == std::string::npos || host == "localhost") return;
  names.push_back(std::move(host));
}

/// The servers of a suite's [[target]] tables, and the values of the headers that they are sent: a
/// host's name, a key, a cookie.
void gather_targets(const std::string& directory, std::vector<std::string>& names) {
  std::ifstream file(directory + "/suite.toml");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("url = ")) {
      for (const std::string& url : quoted_in(line)) {
        try {
          add_host(parse_url(url, "url").host, names);
        } catch (const std::exception&) {  // of another version: what it holds is not known
        }
      }
    } else if (line.starts_with("headers = ")) {
      for (const std::string& header : quoted_in(line)) {
        std::size_t begin = std::min(header.find(':'), header.size());
        while (begin < header.size() && (header[begin] == ':' || header[begin] == ' ')) ++begin;
        const std::string value = header.substr(begin);
        if (says_little(header) || value.empty()) continue;
        names.push_back(value);
        // Host: NAME:PORT
        if (const std::size_t colon = value.rfind(':'); colon != std::string::npos)
          add_host(value.substr(0, colon), names);
      }
    }
  }
}

}  // namespace

Secrets secrets_of_run(const std::string& directory, const std::vector<std::string>& hidden) {
  Secrets secrets = Secrets::of_this_process();
  gather_author(secrets.names);
  gather_targets(directory, secrets.names);
  std::erase(secrets.names, "root");
  std::erase(secrets.paths, "/tmp");
  std::set<std::string> users;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code unseen;
    if (!entry->is_regular_file(unseen) || entry->path().extension() == ".html") continue;
    std::ifstream file(entry->path(), std::ios::binary);
    for (std::string line; std::getline(file, line);) gather_homes(line, users);
  }
  secrets.names.insert(secrets.names.end(), users.begin(), users.end());
  for (const std::string& word : hidden) {
    if (!word.empty()) secrets.names.push_back(word);
  }
  const Json manifest = Json::parse(read_file(directory + "/manifest.json"), nullptr, false);
  const std::string commit = manifest.is_object() ? manifest.value("git_sha", "") : "";
  if (commit.size() >= 7) secrets.names.push_back(commit);
  return secrets;
}

std::string anonymous_text(std::string_view text, const Secrets& secrets) {
  const std::string open = without_mail(without_trace(std::string(text)));
  return without_secrets(without_paths(open), secrets);
}

bool holds_secret(std::string_view bytes, const Secrets& secrets) {
  const std::size_t shortest = is_text(bytes) && !is_minified(bytes) ? 2 : 4;
  const auto found = [&](const std::string& secret) {
    if (secret.size() < shortest) return false;
    for (std::size_t at = bytes.find(secret); at != std::string_view::npos;
         at = bytes.find(secret, at + 1)) {
      const std::size_t end = at + secret.size();
      const bool inside = (at > 0 && in_word(bytes[at - 1]) && in_word(secret.front())) ||
                          (end < bytes.size() && in_word(bytes[end]) && in_word(secret.back()));
      if (!inside) return true;
    }
    return false;
  };
  return std::any_of(secrets.paths.begin(), secrets.paths.end(), found) ||
         std::any_of(secrets.names.begin(), secrets.names.end(), found);
}

bool write_anonymous(const std::string& file, const std::string& name, const std::string& to,
                     const Secrets& secrets) {
  const std::string bytes = read_file(file);
  const std::string extension = fs::path(name).extension();
  if (name == "manifest.json") {
    replace_file(to, anonymous_manifest(bytes, secrets));
  } else if (name.starts_with("environment.")) {
    replace_file(to, anonymous_machine(bytes, secrets));
  } else if (extension == ".jsonl") {
    replace_file(to, anonymous_journal(bytes, secrets));
  } else if (extension == ".json") {
    replace_file(to, json_text(anonymous_json(Json::parse(bytes), secrets), 2) + "\n");
  } else if (extension == ".toml" || extension == ".csv" || extension == ".md" ||
             extension == ".tex" || extension == ".txt") {
    if (!is_text(bytes)) return false;
    replace_file(to, anonymous_text(bytes, secrets));
  } else {
    // Drawn or compiled: it cannot be changed and stay what it is.
    if (holds_secret(bytes, secrets)) return false;
    replace_file(to, bytes);
  }
  return true;
}

}  // namespace precipice
