/* What the TCG plugin tells the monitor: every access of user mode to memory. A file that both map.
 *
 * Records come in the order of execution. Those of a run stand between its record of kind
 * ACCESS_RUN and the next. The plugin waits when the log is full, so nothing is ever left out: the
 * monitor must read while the guest runs (the guest's clock counts instructions and stands still).
 */
#ifndef FAULTLINE_ACCESS_LOG_H
#define FAULTLINE_ACCESS_LOG_H

#include <stdint.h>

#define ACCESS_LOG_MAGIC   0x474c4346u /* "FCLG" */
#define ACCESS_LOG_RECORDS (1u << 20)

enum access_kind {
    ACCESS_RUN = 0, /* a run begins; address: how many runs this guest began before it */
    ACCESS_LOAD = 1,
    ACCESS_STORE = 2, /* also the store of an exclusive pair that succeeded */
};

struct access {
    uint32_t pc;      /* of the user instruction, virtual */
    uint32_t address; /* physical, from the beginning of guest RAM */
    uint32_t span;    /* which stretch of user mode of the run, from 0: ended by the run's span-th
                         entry or interruption event */
    uint32_t place;   /* bits 0-23: the instruction's number in its span, from 1; 24-27: log2 of the
                         size in bytes; 28-31: enum access_kind */
};

struct access_log {
    uint32_t magic;
    uint32_t size; /* of the whole file */
    uint32_t pad0[14];
    uint64_t head; /* plugin: records written */
    uint32_t pad1[14];
    uint64_t tail; /* monitor: records read */
    uint32_t pad2[14];
    struct access records[ACCESS_LOG_RECORDS];
};

_Static_assert(sizeof(struct access) == 16, "access");

#endif
