/* A progress line on stderr: redrawn in place on a terminal, a plain line every few seconds
 * otherwise, nothing at all when the work is done before anybody would ask. */
#ifndef FAULTLINE_PROGRESS_H
#define FAULTLINE_PROGRESS_H

#include <glib.h>
#include <stdbool.h>
#include <stdio.h>

struct progress {
    FILE *stream;
    bool terminal;
    gint64 next; /* when to draw again, monotonic us */
    bool drawn;  /* there is a line to wipe */
};

void progress_begin(struct progress *progress, FILE *stream);
/* Whether it is time for a line; cheap enough to ask after every run. */
bool progress_due(struct progress *progress);
void progress_draw(struct progress *progress, const char *line);
/* Wipes what was drawn: call before printing anything else. */
void progress_end(struct progress *progress);

#endif
