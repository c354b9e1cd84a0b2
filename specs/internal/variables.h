// Variables of a spec: [variables.NAME] declares one, "${var.NAME}" in a value stands for it.
#pragma once

#include "specs/internal/draft.h"
#include "specs/internal/reporter.h"
#include "specs/internal/toml_tree.h"
#include "specs/spec_reader.h"

namespace lb::specs {

// Reads the declarations and puts the values in where they are used, so that the other readers see
// none of it: a string that is nothing but "${var.NAME}" becomes a value of the variable's type,
// inside of other text the value's text is put in, and "$${" becomes "${". The names of sensitive
// variables go to the draft; their values are nowhere.
void read_variables(TomlTable& root, const SpecSource& source, SpecDraft& draft,
                    Reporter& reporter);

}  // namespace lb::specs
