/* Says in the image where the monitor finds a field of guest/abi/audit.def. */
#ifndef FAULTLINE_CORE_AUDIT_H
#define FAULTLINE_CORE_AUDIT_H

#include <stdint.h>
#include "abi.h"

#define AUDIT_ENTRIES(ID, pointer, first, width, step, entries)                                    \
    static const struct fl_audit_field audit_##ID                                                  \
        __attribute__((section(".faultline.audit"), used)) = {                                     \
            .id = FL_AUDIT_FIELD_##ID,                                                             \
            .size = (width),                                                                       \
            .root = (uint32_t)(pointer),                                                           \
            .address = (uint32_t)(first),                                                          \
            .stride = (step),                                                                      \
            .count = (entries),                                                                    \
    }

/* `field` in each entry of the array `table`. */
#define AUDIT_FIELD(ID, table, field)                                                              \
    AUDIT_ENTRIES(ID, 0, &(table)[0].field, sizeof((table)[0].field), sizeof((table)[0]),          \
                  sizeof(table) / sizeof((table)[0]))

/* The same of the array that is `member` of what the variable `pointer` points to, once it does. */
#define AUDIT_FIELD_AT(ID, pointer, member, field)                                                 \
    AUDIT_ENTRIES(ID, &(pointer), __builtin_offsetof(__typeof__(*(pointer)), member[0].field),     \
                  sizeof((pointer)->member[0].field), sizeof((pointer)->member[0]),                \
                  sizeof((pointer)->member) / sizeof((pointer)->member[0]))

/* A single number. */
#define AUDIT_NUMBER(ID, variable)                                                                 \
    AUDIT_ENTRIES(ID, 0, &(variable), sizeof(variable), sizeof(variable), 1)

#endif
