/* Which rows of a run bear on its finding. Private to the report in lanes. */
#ifndef FAULTLINE_LANES_FOLD_H
#define FAULTLINE_LANES_FOLD_H

#include <stdbool.h>
#include "lanes.h"

/* For each row whether it is to be shown; free with g_free. */
bool *lanes_fold(const struct report *report, const GArray *rows);

/* The row that ends with the event, or else the last one that begins before it; rows->len: none. */
guint lanes_row_of(const GArray *rows, uint64_t event);

#endif
