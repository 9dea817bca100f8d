/* Where in a table the search for a free entry begins: at entries of the asking client's own. What
 * one client is given does not depend on what others were given meanwhile, as long as there is
 * room, so that their requests commute (Clements, Kaashoek, Zeldovich, Morris, Kohler: The Scalable
 * Commutativity Rule, SOSP 2013). A search of all states has the fewer of them to tell apart. */
#ifndef FAULTLINE_CORE_LANE_H
#define FAULTLINE_CORE_LANE_H

#include <stdint.h>
#include "sys.h"

#define LANE_ENTRIES 4u

static inline uint32_t lane_of(tid_t client, uint32_t entries)
{
    return SYS_THREAD_INDEX(client) * LANE_ENTRIES % entries;
}

#endif
