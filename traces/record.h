/* C structures as JSON, both ways by one table. Internal to traces/.
 *
 * A record is an object with exactly these keys in it; keys that the table does not have are passed
 * over, since a later version may write more.
 */
#ifndef FAULTLINE_RECORD_H
#define FAULTLINE_RECORD_H

#include <jansson.h>
#include "trace.h"

enum record_type {
    RECORD_TEXT,   /* char[], NUL-terminated */
    RECORD_NUMBER, /* min..max, in a uint16_t or uint32_t */
    RECORD_NAME,   /* the same, as a name of names.def */
    RECORD_PATH,   /* uint32_t, path of a thread, as "0x02010000" */
    RECORD_LIST,   /* min..max records of an array of max; how many is a uint32_t */
};

struct record_field {
    const char *key; /* NULL: end of the table */
    enum record_type type;
    size_t offset;
    size_t size;
    uint32_t min, max;
    enum trace_kind kind;              /* RECORD_NAME */
    size_t count_offset;               /* RECORD_LIST */
    const struct record_field *fields; /* RECORD_LIST */
};

/* A new reference; NULL when a text is no UTF-8, a value has no name or a list is too long. */
json_t *record_to_json(const struct record_field *fields, const void *record);
/* `where` names the record in messages: "manifest.json: scenario". */
bool record_from_json(const struct record_field *fields, const json_t *json, const char *where,
                      void *record, GError **error);

#endif
