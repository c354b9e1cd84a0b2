// Which restore window each line of a home has: its branch's own, or its project's. The store gives
// up what is older, and nothing before it is told the windows for the first time.
#pragma once

#include "engine/project_context.h"

namespace lb::engine {

store::RestoreWindows restore_windows(const Catalog& catalog);

// Tells the store. Requires: the catalog's mutex.
void set_restore_windows(Context& context);
// The same after an apply, if it changed any window. Requires: the edit is adopted.
void update_restore_windows(Context& context, const CatalogEdit& edit);

}  // namespace lb::engine
