// LSNs in the history of a line: where the WAL up to an LSN came into the store, found from the
// versions of the WAL's blocks.
//
// WAL is written before the data that it is about, so at the first position with all WAL before an
// LSN no data page is newer than that LSN. One write can hold several commits, though: whoever
// wants the state of exactly that LSN cuts off what the WAL has behind it (cut_wal()).
#pragma once

#include "base/model/moment.h"
#include "base/result.h"
#include "store/store.h"

namespace lb::engine {

// Of what a line itself has written and can still show.
struct WalRange {
    Position begin;
    Lsn first;  // the WAL's end at `begin`
    Lsn last;   // its end now
};
// `begin`: where the past of the line begins; a position that can be restored to.
// Errors: kNotInHistory if there is no WAL.
Result<WalRange> wal_range(store::Store& store, LineId line, Position begin);

// The first position of the line with all WAL before `lsn`. Where history is thinned out it may be
// no longer there; then it is the first that is, if that has no WAL behind `lsn` either. Requires:
// `lsn` within `range`, the line's. Errors: kNotInHistory, with the nearest positions as help.
Result<Position> position_of_lsn(store::Store& store, LineId line, const WalRange& range, Lsn lsn);

// Removes all WAL from `lsn` on. Requires: a new line that no server runs on.
Status cut_wal(store::Store& store, LineId line, Lsn lsn);

}  // namespace lb::engine
