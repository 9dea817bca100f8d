/* --focus: which places a search is allowed, as told by a user: any that one of the words names.
 *
 *   thread=NAME     of that thread          function=NAME   of that function, inlined or not
 *   space=NAME      of a domain, or core    addr=LO-HI      of program counters LO to HI
 *
 * At depth insn nobody knows the program counter of a place before a run stands there: function and
 * addr then choose the stretches of user mode that begin or end where they say.
 */
#ifndef FAULTLINE_FOCUS_H
#define FAULTLINE_FOCUS_H

#include <glib.h>
#include "engine.h"
#include "image.h"
#include "strategy.h"

struct focus;

/* NULL: a word is wrong. `image` and `scenario` must outlive the result. */
struct focus *focus_new(char *const *words, const struct image *image,
                        const struct fl_scenario *scenario, GError **error);
void focus_free(struct focus *focus);

/* Leaves the places of a report that are in focus. Valid until the next call. */
void focus_places(struct focus *focus, const struct engine *engine, struct run_report *report);

#endif
