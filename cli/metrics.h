// What the daemon counts, in Prometheus' text format (version 0.0.4). docs/metrics.md lists the
// names.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/engine.h"
#include "store/fuse_transport.h"
#include "store/scrub.h"
#include "store/store.h"

namespace lb::cli {

struct MetricsSource {
    store::StoreStatistics store;
    std::vector<store::LineInfo> lines;
    store::FuseStatistics transport;
    engine::EngineStatistics engine;
    std::optional<store::ScrubStatus> scrub = {};  // nullopt: switched off
};

std::string metrics_text(const MetricsSource& source);

}  // namespace lb::cli
