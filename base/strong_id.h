// StrongId<Tag>: a 64-bit number that cannot be mixed up with another kind of number.
//
//   using LineId = StrongId<struct LineIdTag>;
//   LineId line{7};  line.value();  line == LineId{7};
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <string>

namespace lb {

template <class Tag>
class StrongId {
public:
    constexpr StrongId() = default;
    constexpr explicit StrongId(uint64_t value) : value_(value) {}

    constexpr uint64_t value() const { return value_; }
    constexpr auto operator<=>(const StrongId&) const = default;

private:
    uint64_t value_ = 0;
};

template <class Tag>
std::string to_string(StrongId<Tag> id) {
    return std::to_string(id.value());
}

}  // namespace lb

template <class Tag>
struct std::hash<lb::StrongId<Tag>> {
    size_t operator()(lb::StrongId<Tag> id) const noexcept {
        return std::hash<uint64_t>{}(id.value());
    }
};
