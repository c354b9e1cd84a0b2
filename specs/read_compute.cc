#include <arpa/inet.h>

#include <algorithm>
#include <cmath>

#include "base/text.h"
#include "specs/diagnostic_codes.h"
#include "specs/internal/draft.h"
#include "specs/internal/limits.h"

namespace lb::specs {

namespace {

bool is_listen_address(const std::string& text) {
    if (text == "*" || text == "localhost") return true;
    in6_addr buffer;  // large enough for both families
    return text.find('\0') == std::string::npos &&
           (inet_pton(AF_INET, text.c_str(), &buffer) == 1 ||
            inet_pton(AF_INET6, text.c_str(), &buffer) == 1);
}

// In hundredths of a CU.
std::optional<uint32_t> read_cu(const TableReader& compute, std::string_view key,
                                Reporter& reporter) {
    auto cu = compute.number(key);
    if (!cu) return std::nullopt;
    // Written so that NaN is refused too.
    bool is_in_range = *cu >= kCuMin && *cu <= kCuMax;
    if (!is_in_range || std::fmod(*cu, kCuStep) != 0) {
        reporter.error(codes::kOutOfRange, compute.find(key)->value.place,
                       cat(quoted(key), " is no size that a compute can have"),
                       "use 0.25 to 64 in steps of 0.25; 1 CU is 2 GiB of memory");
        return std::nullopt;
    }
    return static_cast<uint32_t>(std::lround(*cu * 100));
}

void read_size(const TableReader& compute, ComputeSettings& settings, Reporter& reporter) {
    auto min = read_cu(compute, "min_cu", reporter);
    auto max = read_cu(compute, "max_cu", reporter);
    if (min && max && *min != *max) {
        const TomlMember* min_member = compute.find("min_cu");
        const TomlMember* max_member = compute.find("max_cu");
        reporter.conflict(codes::kValueNotYetSupported, max_member->value.place,
                          "autoscaling is not yet supported: \"min_cu\" and \"max_cu\" differ",
                          {.place = min_member->value.place, .message = "the other one"},
                          "give both the same value, or give only one of them");
        return;
    }
    if (min || max) settings.size_centi_cu = min ? *min : *max;
}

void read_listen_addresses(const TableReader& compute, ComputeSettings& settings,
                           Reporter& reporter) {
    auto addresses = compute.texts("listen_addresses");
    if (!addresses) return;
    const Place& place = compute.find("listen_addresses")->value.place;
    const auto* items = compute.find("listen_addresses")->value.get_if<TomlArray>();
    if (items->empty() || items->size() > kListenAddressesMax) {
        reporter.error(codes::kOutOfRange, place,
                       cat("\"listen_addresses\" has ", items->size(), " items"),
                       cat("use 1 to ", kListenAddressesMax,
                           " addresses, or remove the key to listen on 127.0.0.1"));
        return;
    }
    settings.listen_addresses.clear();
    for (const PlacedText& address : *addresses) {
        if (!is_listen_address(address.text)) {
            reporter.error(codes::kInvalidAddress, address.place,
                           cat(quoted(address.text), " is no address to listen on"),
                           "use an IP address, \"localhost\", or \"*\" for all interfaces");
        }
        settings.listen_addresses.push_back(address.text);
    }
    // Their order means nothing to PostgreSQL and shall not be a change to lb.
    std::sort(settings.listen_addresses.begin(), settings.listen_addresses.end());
}

}  // namespace

void read_compute(const TableReader& branch, BranchDraft& draft, Reporter& reporter) {
    const TomlTable* table = branch.table("compute", "compute = { min_cu = 0.25 }");
    if (table == nullptr) return;
    draft.spec.compute_span = reporter.span(branch.find("compute")->key_place);
    TableReader compute(*table, kComputeRules, reporter);
    ComputeSettings settings;
    settings.always_on = true;
    read_size(compute, settings, reporter);
    if (auto port = compute.integer("port", kPortMin, kPortMax)) {
        settings.port = static_cast<uint16_t>(*port);
        draft.port_place = compute.find("port")->value.place;
    }
    read_listen_addresses(compute, settings, reporter);
    draft.spec.compute = std::move(settings);
}

}  // namespace lb::specs
