// `cases NAME...` runs the cases of these names one after another; an error is printed and ends the program.
#include <map>
#include <string>

#include "cases.h"

static std::map<std::string, void (*)()>& all_cases() {
  static std::map<std::string, void (*)()> all;
  return all;
}

Case::Case(const char* name, void (*run)()) { all_cases()[name] = run; }

int main(int count, char** arguments) {
  for (int i = 1; i < count; ++i) {
    std::printf("case %s\n", arguments[i]);
    std::fflush(stdout);  // for whoever ends a case that hangs
    try {
      all_cases().at(arguments[i])();
    } catch (const ph::Error& error) {
      std::printf("error: %s\n", error.what());
      return 1;
    }
  }
  return 0;
}
