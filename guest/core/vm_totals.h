/* Running counts of all that core keeps for tasks, for an audit to count again. */
#ifndef FAULTLINE_CORE_VM_TOTALS_H
#define FAULTLINE_CORE_VM_TOTALS_H

#include <stdint.h>

struct vm_totals {
    uint32_t objects, shadows, files, areas, tasks;
};

extern struct vm_totals vm_totals;

#endif
