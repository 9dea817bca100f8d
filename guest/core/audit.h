/* Says in the image where the monitor finds a field of guest/abi/audit.def. */
#ifndef FAULTLINE_CORE_AUDIT_H
#define FAULTLINE_CORE_AUDIT_H

#include <stdint.h>
#include "abi.h"

#define AUDIT_ROW(ID, ...)                                                                         \
    static const struct fl_audit_field audit_##ID                                                  \
        __attribute__((section(".faultline.audit"), used)) = {.id = FL_AUDIT_FIELD_##ID,           \
                                                              __VA_ARGS__}

/* `field` in each entry of the array `table`. */
#define AUDIT_FIELD(ID, table, field)                                                              \
    AUDIT_ROW(ID, .size = sizeof((table)[0].field), .address = (uint32_t) & (table)[0].field,      \
              .offset = __builtin_offsetof(__typeof__((table)[0]), field),                         \
              .stride = sizeof((table)[0]), .count = sizeof(table) / sizeof((table)[0]))

/* The same of the array that is `member` of what the variable `pointer` points to, once it does. */
#define AUDIT_FIELD_AT(ID, pointer, member, field)                                                 \
    AUDIT_ROW(ID, .size = sizeof((pointer)->member[0].field), .root = (uint32_t) & (pointer),      \
              .address = __builtin_offsetof(__typeof__(*(pointer)), member[0].field),              \
              .offset = __builtin_offsetof(__typeof__((pointer)->member[0]), field),               \
              .stride = sizeof((pointer)->member[0]),                                              \
              .count = sizeof((pointer)->member) / sizeof((pointer)->member[0]))

/* The words of an array of words. */
#define AUDIT_WORDS(ID, array)                                                                     \
    AUDIT_ROW(ID, .size = sizeof((array)[0]), .address = (uint32_t) & (array)[0],                  \
              .stride = sizeof((array)[0]), .count = sizeof(array) / sizeof((array)[0]))

/* A single number. */
#define AUDIT_NUMBER(ID, variable)                                                                 \
    AUDIT_ROW(ID, .size = sizeof(variable), .address = (uint32_t) & (variable),                    \
              .stride = sizeof(variable), .count = 1)

/* The same, a member of what the variable `pointer` points to. */
#define AUDIT_NUMBER_AT(ID, pointer, member)                                                       \
    AUDIT_ROW(ID, .size = sizeof((pointer)->member), .root = (uint32_t) & (pointer),               \
              .address = __builtin_offsetof(__typeof__(*(pointer)), member),                       \
              .stride = sizeof((pointer)->member), .count = 1)

#endif
