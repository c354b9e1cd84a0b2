// Moment: a point in a branch's history as people name it.
//
//   2026-04-12T09:30:00Z   a time: the newest state at or before it
//   0/16B3748              an LSN: everything that PostgreSQL's WAL has before it, and no more
//   position:120455        a position of the store
//   (empty)                the present
//
// to_text() is the canonical form: times in UTC, LSNs in upper case without leading zeros. Specs,
// plans and the catalog hold that, so that one moment written in two ways is no difference.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/ids.h"

namespace lb {

// A byte position of PostgreSQL's WAL.
using Lsn = StrongId<struct LsnTag>;

std::optional<Lsn> parse_lsn(std::string_view text);
std::string to_text(Lsn lsn);

struct Present {
    bool operator==(const Present&) const = default;
};
using Moment = std::variant<Present, WallTime, Lsn, Position>;

// nullopt for what is none of these: a time without a zone, position 0, numbers that do not fit.
std::optional<Moment> parse_moment(std::string_view text);
std::string to_text(const Moment& moment);

// With the fraction of a second, where there is one: two times that differ never look the same.
std::string exact_time_text(WallTime time);

// For help: how to write one.
inline constexpr std::string_view kMomentHelp =
    "write a time with its zone (2026-04-12T09:30:00Z), an LSN (0/16B3748) or position:N";

}  // namespace lb
