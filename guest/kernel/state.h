/* Says in the image which of the kernel's memory is the state of a run (struct fl_state_row). Every
 * object of the kernel that is ever written has a row, beside its definition: what is dropped has
 * no say in what the guest does from here on. */
#ifndef FAULTLINE_STATE_H
#define FAULTLINE_STATE_H

#include <stddef.h>
#include "abi.h"

#define STATE_ROW(name, ...)                                                                       \
    static const struct fl_state_row state_##name                                                  \
        __attribute__((section(".faultline.state"), used)) = {__VA_ARGS__}

#define STATE_OBJECT(name, keep)                                                                   \
    STATE_ROW(name, .object = {&name}, .stride = sizeof(name), .count = 1, .size = sizeof(name),   \
              .kept = keep)

#define STATE_KEEP(object_name) STATE_OBJECT(object_name, 1)
#define STATE_DROP(object_name) STATE_OBJECT(object_name, 0)

#define STATE_FIRST(array, counter, keep)                                                          \
    STATE_ROW(array, .object = {array}, .used = {&(counter)}, .stride = sizeof((array)[0]),        \
              .count = sizeof(array) / sizeof((array)[0]), .size = sizeof((array)[0]),             \
              .kept = (keep))

/* The first `counter` entries of an array; what lies behind them is of an earlier run. */
#define STATE_KEEP_FIRST(array, counter) STATE_FIRST(array, counter, FL_STATE_ROW_KEPT)
/* The same, of which the order is of no account. Arrays with one counter belong together. */
#define STATE_KEEP_SET(array, counter) STATE_FIRST(array, counter, FL_STATE_ROW_SET)
/* Says of frames what is not state; of struct fl_dead. */
#define STATE_DEAD(array, counter) STATE_FIRST(array, counter, FL_STATE_ROW_DEAD)

/* A member, of a kept object or of each entry of a kept array. */
#define STATE_DROP_MEMBER(name, label, type, member)                                               \
    STATE_ROW(name##_##label, .object = {&name}, .stride = sizeof(type),                           \
              .count = sizeof(name) / sizeof(type), .offset = offsetof(type, member),              \
              .size = sizeof(((type *)0)->member))

#endif
