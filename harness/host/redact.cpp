#include "harness/host/redact.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <utility>

#include "harness/host/build_info.hpp"
#include "harness/json.hpp"

namespace precipice {

bool in_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

namespace {

namespace fs = std::filesystem;

/// `replacement` for every `secret` in `text` that is no part of a longer word.
std::string replaced(std::string text, const std::string& secret, std::string_view replacement) {
  for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
    const std::size_t end = at + secret.size();
    const bool inside = (at > 0 && in_word(text[at - 1]) && in_word(secret.front())) ||
                        (end < text.size() && in_word(text[end]) && in_word(secret.back()));
    if (inside) {
      at = end;
    } else {
      text.replace(at, secret.size(), replacement);
      at += replacement.size();
    }
  }
  return text;
}

bool is_address(const std::string& word) {
  unsigned char bytes[16];
  if (word == "127.0.0.1" || word == "::1") return false;
  if (std::count(word.begin(), word.end(), '.') == 3 &&
      inet_pton(AF_INET, word.c_str(), bytes) == 1)
    return true;
  // Two colons at least: a time of day has two as well, but is no address.
  return std::count(word.begin(), word.end(), ':') >= 2 &&
         inet_pton(AF_INET6, word.c_str(), bytes) == 1;
}

std::string without_addresses(std::string_view text) {
  std::string result;
  std::size_t at = 0;
  const auto belongs = [](char c) {
    return std::isxdigit(static_cast<unsigned char>(c)) != 0 || c == '.' || c == ':';
  };
  while (at < text.size()) {
    std::size_t end = at;
    while (end < text.size() && belongs(text[end])) ++end;
    if (end == at) {
      result += text[at++];
      continue;
    }
    std::string word(text.substr(at, end - at));
    const std::string tail =
        word.ends_with('.') || word.ends_with(':') ? word.substr(word.size() - 1) : std::string();
    const std::string bare = word.substr(0, word.size() - tail.size());
    // An IPv4 address with its port has one colon.
    const std::size_t colon =
        std::count(bare.begin(), bare.end(), ':') == 1 ? bare.find(':') : std::string::npos;
    const std::string host = bare.substr(0, colon);
    if (is_address(word)) {
      result += "(address)";
    } else if (is_address(host)) {
      result += "(address)" + (colon == std::string::npos ? "" : bare.substr(colon)) + tail;
    } else {
      result += word;
    }
    at = end;
  }
  return result;
}

/// Only the last part of a path, also behind `key=` and inside `name(...)`.
std::string without_directories(std::string_view word) {
  std::string result;
  std::string part;
  const auto flush = [&] {
    if (part.find('/') != std::string::npos) {
      while (part.size() > 1 && part.ends_with('/')) part.pop_back();
      part = part.substr(part.rfind('/') + 1);
    }
    result += part;
    part.clear();
  };
  for (const char c : word) {
    if (c == '=' || c == '(' || c == ')' || c == ',') {
      flush();
      result += c;
    } else {
      part += c;
    }
  }
  flush();
  return result;
}

void add(std::vector<std::string>& list, const char* text) {
  if (text != nullptr && *text != '\0') list.emplace_back(text);
}

}  // namespace

Secrets Secrets::of_this_process() {
  Secrets secrets;
  char host[256] = "";
  if (gethostname(host, sizeof host - 1) == 0) {
    add(secrets.names, host);
    const std::string_view full(host);
    if (const std::size_t dot = full.find('.'); dot != std::string_view::npos)
      secrets.names.emplace_back(full.substr(0, dot));
  }
  for (const char* name : {"USER", "LOGNAME", "SUDO_USER", "HOSTNAME"})
    add(secrets.names, std::getenv(name));
  for (const char* name : {"HOME", "PWD", "TMPDIR", "PRECIPICE_SCRATCH", "XDG_CACHE_HOME"})
    add(secrets.paths, std::getenv(name));
  if (const passwd* user = getpwuid(getuid()); user != nullptr) {
    add(secrets.names, user->pw_name);
    add(secrets.paths, user->pw_dir);
  }
  std::error_code error;
  add(secrets.paths, fs::current_path(error).c_str());
  add(secrets.paths, source_directory().c_str());
  // A root that is no secret would turn every slash into one.
  std::erase_if(secrets.paths, [](const std::string& path) { return path.size() < 2; });
  return secrets;
}

std::string without_secrets(std::string_view text, const Secrets& secrets) {
  std::string result(text);
  std::vector<std::string> paths = secrets.paths, names = secrets.names;
  const auto longer = [](const std::string& a, const std::string& b) {
    return a.size() > b.size();
  };
  std::sort(paths.begin(), paths.end(), longer);
  std::sort(names.begin(), names.end(), longer);
  for (const std::string& path : paths) result = replaced(std::move(result), path, "(path)");
  for (const std::string& name : names) result = replaced(std::move(result), name, "(name)");
  return without_addresses(result);
}

Json json_without_secrets(Json json, const Secrets& secrets) {
  if (json.is_string()) return without_secrets(json.get<std::string>(), secrets);
  if (json.is_structured()) {
    for (Json& value : json) value = json_without_secrets(std::move(value), secrets);
  }
  return json;
}

std::vector<std::string> anonymous_argv(const std::vector<std::string>& argv,
                                        const Secrets& secrets) {
  std::vector<std::string> result;
  bool directory = false;
  for (const std::string& word : argv) {
    if (directory) {
      result.emplace_back("DIR");
    } else if (word.starts_with("--out=")) {
      result.emplace_back("--out=DIR");
    } else {
      result.push_back(without_secrets(without_directories(word), secrets));
    }
    directory = !directory && word == "--out";
  }
  return result;
}

Json anonymous_environment(Json environment, const Secrets& secrets) {
  if (Json& kernel = environment["kernel"]; kernel.is_object()) {
    const Json options = kernel.value("relevant_options", Json::array());
    kernel["command_line"] =
        fmt::format("{}", fmt::join(options.get<std::vector<std::string>>(), " "));
  }
  if (Json& virtualisation = environment["virtualisation"]; virtualisation.is_object())
    virtualisation["product"] = nullptr;
  environment["anonymous"] = true;
  // The versions of libraries look like addresses and the compiler's flags name no host.
  Json libraries = nullptr;
  if (environment.contains("build")) libraries = environment["build"].value("libraries", Json());
  environment = json_without_secrets(std::move(environment), secrets);
  if (!libraries.is_null()) environment["build"]["libraries"] = std::move(libraries);
  return environment;
}

}  // namespace precipice
