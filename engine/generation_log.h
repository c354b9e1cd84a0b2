// The generations that the catalog remembers: the newest kGenerationsKept with the values of what
// they changed. Of older ones only those stay that ran SQL, without values: a branch made from a
// position in the middle of such an apply asks them whether it was committed.
#pragma once

#include <optional>
#include <vector>

#include "base/model/generation.h"
#include "base/result.h"
#include "engine/catalog_records.h"
#include "engine/generation_range.h"
#include "store/store.h"

namespace lb::engine {

// A record that would be larger is written without values.
inline constexpr size_t kGenerationMaxBytes = size_t{4} << 20;

// Newest first. Errors: kStoreDamaged naming the note.
Result<std::vector<GenerationRecord>> read_generations(const store::Store& store, ProjectId project,
                                                       Generation newest,
                                                       const GenerationRange& range);

// The note that the commit frame of generation `newest` must hold, so that no more than
// kGenerationsKept generations with values stay; nullopt if there are not that many.
Result<std::optional<store::Note>> faded_generation(const store::Store& store, ProjectId project,
                                                    Generation newest);

// The text of the note; without values if it gets too large.
std::string encode_within_limit(const GenerationRecord& record);

}  // namespace lb::engine
