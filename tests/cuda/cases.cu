// `cases NAME...` runs the cases of these names one after another, without names all; an error is printed and ends the
// program.
#include <map>
#include <string>
#include <vector>

#include "cases.h"

static std::map<std::string, void (*)()>& all_cases() {
  static std::map<std::string, void (*)()> all;
  return all;
}

Case::Case(const char* name, void (*run)()) { all_cases()[name] = run; }

int main(int count, char** arguments) {
  std::vector<std::string> names(arguments + 1, arguments + count);
  if (names.empty()) {
    for (const auto& [name, run] : all_cases()) names.push_back(name);
  }
  for (const std::string& name : names) {
    std::printf("case %s\n", name.c_str());
    std::fflush(stdout);  // for whoever ends a case that hangs
    try {
      all_cases().at(name)();
    } catch (const ph::Error& error) {
      std::printf("error: %s\n", error.what());
      return 1;
    }
  }
  return 0;
}
