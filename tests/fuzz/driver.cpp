// Runs a fuzz target where libFuzzer is not: every file of its corpus, then as many mutations of
// them as asked for, from one seed, so that a run can be repeated exactly. It sees no coverage;
// what it is for is that every build checks the targets' properties on the same inputs.
//
//     fuzz_suite CORPUS_DIRECTORY_OR_FILE... [--runs N] [--seed N] [--seconds N] [--dictionary
//     FILE]
//
// An input that ends the process is left in TARGET.input in the working directory. An input may
// hold at most 256 MiB of memory and last a minute.
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <new>
#include <string>
#include <vector>

#include "models/random.hpp"
#include "tests/fuzz/property.hpp"

namespace {

constexpr std::size_t kMostMemory = std::size_t{256} << 20;
constexpr unsigned kMostSeconds = 60;
constexpr std::size_t kLongest = 8192;

std::atomic<std::size_t> live_bytes{0};

// AddressSanitizer has its own operators, which must meet each other: there nothing is counted.
#ifndef __SANITIZE_ADDRESS__
void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  const std::size_t size = malloc_usable_size(memory);
  if (live_bytes.fetch_add(size, std::memory_order_relaxed) + size > kMostMemory) {
    constexpr std::string_view kMessage = "property broken: an input holds too much memory\n";
    if (write(STDERR_FILENO, kMessage.data(), kMessage.size()) < 0) std::abort();
    std::abort();
  }
  return memory;
}

void uncounted(void* memory) noexcept {
  if (memory == nullptr) return;
  live_bytes.fetch_sub(malloc_usable_size(memory), std::memory_order_relaxed);
  std::free(memory);
}
#endif

}  // namespace

#ifndef __SANITIZE_ADDRESS__
void* operator new(std::size_t size) { return counted(std::malloc(size == 0 ? 1 : size)); }
void* operator new(std::size_t size, std::align_val_t alignment) {
  const auto unit = static_cast<std::size_t>(alignment);
  return counted(std::aligned_alloc(unit, (size + unit - 1) / unit * unit));
}
void operator delete(void* memory) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t) noexcept { uncounted(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { uncounted(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { uncounted(memory); }
#endif

namespace precipice::fuzz {
namespace {

namespace fs = std::filesystem;

std::string read_all(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// libFuzzer's form: a token in quotes a line, \xNN, \\ and \" inside; names and comments are
/// allowed.
std::vector<std::string> read_dictionary(const std::string& path) {
  std::vector<std::string> tokens;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const std::size_t open = line.find('"'), close = line.rfind('"');
    if (line.starts_with('#') || open == std::string::npos || close <= open) continue;
    std::string token;
    for (std::size_t i = open + 1; i < close; ++i) {
      if (line[i] == '\\' && line[i + 1] == 'x' && i + 3 < close) {
        token += static_cast<char>(std::stoi(line.substr(i + 2, 2), nullptr, 16));
        i += 3;
      } else {
        token += line[line[i] == '\\' ? ++i : i];
      }
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, std::vector<std::string> dictionary, std::uint64_t seed)
      : corpus_(std::move(corpus)), dictionary_(std::move(dictionary)), random_(seed) {}

  std::string next() {
    std::string input = corpus_[random_.below(corpus_.size())];
    for (std::uint64_t steps = 1 + random_.below(6); steps > 0; --steps) mutate(input);
    if (input.size() > kLongest) input.resize(kLongest);
    return input;
  }

 private:
  std::size_t place(const std::string& input) { return random_.below(input.size() + 1); }
  std::string piece(const std::string& of) {
    const std::size_t begin = place(of);
    return of.substr(begin, 1 + random_.below(32));
  }
  std::string token() {
    static constexpr std::array<std::string_view, 16> kNumbers{"0",
                                                               "-1",
                                                               "1e308",
                                                               "1e-320",
                                                               "nan",
                                                               "inf",
                                                               "18446744073709551616",
                                                               "9223372036854775807",
                                                               "-0",
                                                               "1e9",
                                                               "100000",
                                                               "0x10",
                                                               "",
                                                               "007",
                                                               "4294967296",
                                                               "1.5e-7"};
    if (dictionary_.empty() || random_.below(3) == 0)
      return std::string(kNumbers[random_.below(kNumbers.size())]);
    return dictionary_[random_.below(dictionary_.size())];
  }

  void mutate(std::string& input) {
    const std::size_t at = place(input);
    switch (random_.below(9)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << random_.below(8)));
        break;
      case 1:
        input.insert(at, 1, static_cast<char>(random_.below(256)));
        break;
      case 2:
        input.erase(at, 1 + random_.below(16));
        break;
      case 3:
        input.insert(at, token());
        break;
      case 4:
        input.replace(at, std::min<std::size_t>(input.size() - at, random_.below(8)), token());
        break;
      case 5:
        input.insert(at, piece(input));
        break;
      case 6:
        input.insert(at, piece(corpus_[random_.below(corpus_.size())]));
        break;
      case 7:
        replace_number(input, at);
        break;
      default: {
        const std::string part = piece(input);
        for (std::uint64_t times = random_.below(200); times > 0 && input.size() < kLongest;
             --times)
          input.insert(std::min(at, input.size()), part);
      }
    }
  }

  void replace_number(std::string& input, std::size_t at) {
    const std::size_t begin = input.find_first_of("0123456789", at);
    if (begin == std::string::npos) return;
    const std::size_t end = std::min(input.find_first_not_of("0123456789.e", begin), input.size());
    input.replace(
        begin, end - begin,
        random_.below(2) == 0 ? token() : std::to_string(random_.next() >> random_.below(64)));
  }

  std::vector<std::string> corpus_, dictionary_;
  Random random_;
};

/// Runs single inputs, each left in a file for as long as it is under way.
class Runner {
 public:
  explicit Runner(std::string path) : path_(std::move(path)) {}
  ~Runner() {
    std::error_code error;
    fs::remove(path_, error);
  }
  void run(const std::string& input) {
    {
      std::ofstream file(path_, std::ios::binary | std::ios::trunc);
      file << input;
    }
    alarm(kMostSeconds);
    LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
    alarm(0);
  }

 private:
  std::string path_;
};

int run(const std::vector<std::string>& arguments) {
  std::vector<std::string> corpus;
  std::string dictionary;
  std::uint64_t runs = 0, seed = 1, seconds = 3600;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.starts_with("--") && i + 1 < arguments.size()) {
      const std::string& value = arguments[++i];
      if (argument == "--runs") runs = std::stoull(value);
      if (argument == "--seed") seed = std::stoull(value);
      if (argument == "--seconds") seconds = std::stoull(value);
      if (argument == "--dictionary") dictionary = value;
    } else if (fs::is_directory(argument)) {
      std::vector<fs::path> files;
      for (const fs::directory_entry& entry : fs::directory_iterator(argument))
        files.push_back(entry.path());
      std::sort(files.begin(), files.end());
      for (const fs::path& file : files) corpus.push_back(read_all(file));
    } else {
      corpus.push_back(read_all(argument));
    }
  }
  if (corpus.empty()) {
    std::cerr << "give a corpus directory or an input\n";
    return 2;
  }
  const fs::path program = arguments.front();
  Runner runner(program.filename().string() + ".input");
  for (const std::string& input : corpus) runner.run(input);
  Mutator mutator(corpus, read_dictionary(dictionary), seed);
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(seconds);
  std::uint64_t done = 0;
  while (done < runs && std::chrono::steady_clock::now() < end) {
    runner.run(mutator.next());
    ++done;
  }
  std::cout << corpus.size() << " inputs of the corpus and " << done << " mutations of seed "
            << seed << ": every property held\n";
  return 0;
}

}  // namespace
}  // namespace precipice::fuzz

int main(int argc, char** argv) { return precipice::fuzz::run({argv, argv + argc}); }
