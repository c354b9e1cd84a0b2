// The apply of the crash matrix: it creates, changes and deletes branches, roles and databases, on
// three live branches. What lb learns to manage is added here, and what shows it, to
// crash_picture.h; the points at which the apply is killed are found by counting.
#pragma once

#include "base/model/change.h"

namespace lb::engine {

// Makes the project on which the apply works.
ChangeSet matrix_start();
// The apply that is killed.
ChangeSet matrix_changes();

}  // namespace lb::engine
