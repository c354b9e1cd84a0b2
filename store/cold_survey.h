// Reading a cold segment to the last byte, going on behind damage: what the check and the scrubber
// see of it.
#pragma once

#include <functional>

#include "store/check.h"
#include "store/manifest.h"
#include "store/segment_log.h"

namespace lb::store {

struct ColdSurveySink {
    // Each record that can be read, in order; blocks also if only their place is known. Payloads
    // of blocks are as they are stored.
    std::function<Status(const ReplayRecord&)> record;
    std::function<void(Problem)> problem;
};

// `cold`: what the manifest says of it. Errors: those of reading the file, and of `sink.record`.
Status survey_cold_segment(Disk& disk, const std::string& directory, const StoreId& store_id,
                           const ColdFile& cold, const ColdSurveySink& sink);

}  // namespace lb::store
