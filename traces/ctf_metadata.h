/* The CTF metadata (TSDL) of a trace, made from the tables in guest/abi. Internal to traces/. */
#ifndef FAULTLINE_CTF_METADATA_H
#define FAULTLINE_CTF_METADATA_H

#include "trace.h"

/* Text of ctf/metadata, to be freed with g_free. `paths`: the threads that get a name, ascending.
 * scenario may be NULL; clock NULL: time counts from the run's start. */
char *ctf_metadata(const struct fl_scenario *scenario, const struct ctf_clock *clock,
                   const uint32_t *paths, size_t n_paths);

/* What is wrong with a metadata file's contents, in one line; NULL when it is as it was written. */
const char *ctf_metadata_fault(const char *text, size_t length);

#endif
