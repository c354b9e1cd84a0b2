// Index entries of the records that cold segments hold: how a record of a cold segment becomes what
// it was in the index, and which entry goes when a record is not needed any more.
#pragma once

#include "store/index.h"
#include "store/index_keys.h"
#include "store/segment_log.h"

namespace lb::store {

// kStoreDamaged if the payload cannot be read or the type has no entry of its own.
Status put_record(IndexBatch& batch, const ReplayRecord& record);
Status erase_record(IndexBatch& batch, const ReplayRecord& record);

std::string encode_u64_value(uint64_t value);

}  // namespace lb::store
