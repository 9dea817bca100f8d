/* The event hash: equal for two runs exactly when what they did is the same on every architecture.
 *
 * To compute it elsewhere: h = 0xcbf29ce484222325; then for each event of the run three words of 64
 * bits, each taken in as
 *     h = (h ^ word) * 0x9e3779b97f4a7c15 (modulo 2^64); h = h ^ (h >> 32)
 * The words are
 *     thread << 32 | point << 16 | event id
 *     space << 48 | address
 *     arg << 32 | aux
 * where address, arg and aux are what events.def says is hashed of them: 0 for the kinds NONE, RAW,
 * PC and SET; region << 32 | page for VA (region: its number in regions.def from 1, 0 outside of
 * all; page: counted from the region's base, 0 in regions that are not paged and outside of all);
 * else the low 32 bits of the field. Of an event that events.def does not have all three are 0.
 * Time is not hashed, nor are the events span, audit and audit_differs, which a mode asks for.
 */
#ifndef FAULTLINE_HASH_H
#define FAULTLINE_HASH_H

#include "abi.h"

#define HASH_START 0xcbf29ce484222325u

uint64_t hash_event(uint64_t hash, const struct fl_event *event);

#endif
