/* Frames of guest RAM: who has which mapped, as far as events of mapping tell.
 *
 * A frame that nobody has mapped and that is mapped anew is other memory than before: its lives are
 * numbered. Between two lives it is the pager's, which clears it, and that is a life as well.
 */
#ifndef FAULTLINE_FRAMES_H
#define FAULTLINE_FRAMES_H

#include <glib.h>
#include "abi.h"
#include "engine.h"
#include "table.h"

#define FRAMES (FL_RAM_SIZE >> FL_PAGE_SHIFT)

struct frame {
    uint16_t mappings;
    uint8_t writable; /* somebody had it mapped so in this life */
    uint32_t spaces;  /* that had it mapped in this life, as bits */
};

struct frames {
    struct frame frames[FRAMES];
    struct table frame_of; /* (space, page) -> frame + 1 */
    GArray *lives;         /* struct frame_life */
    uint32_t sharing;      /* spaces that had a page in common, one of them writable, as bits */
};

void frames_init(struct frames *frames);
void frames_free(struct frames *frames);
void frames_clear(struct frames *frames);
/* Any event; spans: how many have ended before it. */
void frames_event(struct frames *frames, const struct fl_event *event, uint32_t spans);

#endif
