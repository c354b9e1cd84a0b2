#include "engine/handed_compute.h"

namespace lb::engine {

namespace {

constexpr uint8_t kWanted = 1;

HandedCompute take_compute(Decoder& in) {
    HandedCompute compute{.line = LineId{in.u64()}};
    compute.pid = static_cast<pid_t>(in.u32());
    uint8_t flags = in.u8();
    compute.is_wanted = (flags & kWanted) != 0;
    compute.failure = in.text();
    compute.label = in.text();
    compute.postgres.major_version = in.u32();
    compute.postgres.program_directory = in.text();
    compute.postgres.full_version = in.text();
    compute.settings.size_centi_cu = in.u32();
    compute.settings.port = in.u16();
    compute.settings.listen_addresses.clear();
    for (uint32_t count = in.u32(); count > 0 && in.is_ok(); --count) {
        compute.settings.listen_addresses.emplace_back(in.text());
    }
    for (uint32_t count = in.u32(); count > 0 && in.is_ok(); --count) {
        std::string name(in.text());
        compute.settings.settings.emplace(std::move(name), in.text());
    }
    compute.port = in.u16();
    compute.run_number = in.u64();
    // A pid of 0 or less stands for something else in kill(2).
    if (compute.pid < 0 || compute.line == LineId{} || (flags & ~kWanted) != 0) in.fail();
    return compute;
}

}  // namespace

Bytes encode(const std::vector<HandedCompute>& computes) {
    Encoder out;
    out.u32(static_cast<uint32_t>(computes.size()));
    for (const HandedCompute& compute : computes) {
        out.u64(compute.line.value());
        out.u32(static_cast<uint32_t>(compute.pid));
        out.u8(compute.is_wanted ? kWanted : 0);
        out.text(compute.failure);
        out.text(compute.label);
        out.u32(compute.postgres.major_version);
        out.text(compute.postgres.program_directory);
        out.text(compute.postgres.full_version);
        out.u32(compute.settings.size_centi_cu);
        out.u16(compute.settings.port);
        out.u32(static_cast<uint32_t>(compute.settings.listen_addresses.size()));
        for (const std::string& address : compute.settings.listen_addresses) out.text(address);
        out.u32(static_cast<uint32_t>(compute.settings.settings.size()));
        for (const auto& [name, value] : compute.settings.settings) {
            out.text(name);
            out.text(value);
        }
        out.u16(compute.port);
        out.u64(compute.run_number);
    }
    return out.take();
}

Result<std::vector<HandedCompute>> decode_handed_computes(ByteView bytes) {
    Decoder in(bytes);
    std::vector<HandedCompute> computes;
    for (uint32_t count = in.u32(); count > 0 && in.is_ok(); --count) {
        computes.push_back(take_compute(in));
    }
    if (in.is_finished()) return computes;
    return Error{.code = ErrorCode::kBadRequest,
                 .message = "the list of computes that was handed over is malformed"};
}

}  // namespace lb::engine
