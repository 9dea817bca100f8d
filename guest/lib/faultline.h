/* All that a scenario of one's own may use: the one header that it includes.
 *
 * A scenario is a program of the guest. It describes itself by one `struct fl_scenario` (abi.h)
 * that is put into SCENARIO_TABLE, and says by `const struct program program` which function is the
 * main function of each of its domains (address spaces). `faultline new-scenario NAME` writes one
 * to begin with, `faultline build-guest NAME.c` makes the images.
 *
 *   threads       thread.h       thread_create, thread_join, thread_destroy; program_thread
 *   IPC           sys.h          sys_call, sys_send, sys_receive, sys_reply, sys_reply_wait
 *   locks         sys.h          sys_lock, sys_unlock; sys_yield
 *   RAM           core.h         core_ram_alloc, core_attach, core_attach_at, core_detach
 *   region maps   core.h         core_map_create, core_map_free: dataspaces that are maps
 *   vm            vm.h           vm_fork, vm_map, vm_unmap, vm_shm_attach, vm_wait, vm_exit
 *   files         vm.h           vm_open, vm_map, vm_read, vm_close
 *   pagers        core.h         core_pager_set, core_page_lend; sys_receive takes the faults
 *   stacks        stack_alloc.h  stack_allocator: where threads get theirs from
 *   policies      vm.h           vm_policy: what core shall do wrong
 *   asserts       program.h      program_expect, program_raise
 *   this run      info.h         info()->variant, info()->params[]
 *   marks         below          what the checks go by
 *
 * Every call to the kernel is a place where a search preempts, those of core at depth ipc, locks at
 * sync; at access and insn so is user code. Nothing else makes the order of things: no clock, no
 * random numbers, one processor. All state is as it was before the next run.
 *
 * What a program may not do: pointers are 32 bits wide on every architecture, there is no floating
 * point, no C library but memcpy and memset, and globals are shared by the threads of a domain, not
 * by domains. A run has 512 * 126 events and a budget of instructions; more of either ends it.
 */
#ifndef FAULTLINE_FAULTLINE_H
#define FAULTLINE_FAULTLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#include "core.h"
#include "info.h"
#include "memory.h"
#include "program.h"
#include "stack_alloc.h"
#include "sys.h"
#include "thread.h"
#include "vm.h"

/* ---- Marks of an allocator ----
 *
 * By them the checks stack-slot-exclusive (no block is two holders' at once, and none overlaps
 * another), stack-alloc-order (reserve, attach, publish, use, detach, free) and allocator-ownership
 * (what is freed was reserved, and is freed once) work for any allocator. Only reserve and free are
 * needed. Reserve is said *after* the store that takes the block, free *before* the store that
 * gives it back: so a trace never claims more holding than there was, and no finding is a false
 * alarm. A mark is a kernel entry, but a place for preemptions at depth insn only. */

SYS_ALWAYS_INLINE void mark_block(uint32_t event, const volatile void *block, uint32_t size)
{
    sys_mark(event, (uint32_t)(uintptr_t)block, size, 0);
}

/* The allocator has chosen the block. */
SYS_ALWAYS_INLINE void mark_reserve(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_RESERVE, block, size);
}

/* Memory is attached to it. */
SYS_ALWAYS_INLINE void mark_attach(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_ATTACH, block, size);
}

/* Others can see that it is taken. */
SYS_ALWAYS_INLINE void mark_publish(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_PUBLISH, block, size);
}

/* Its holder works with it. */
SYS_ALWAYS_INLINE void mark_use(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_USE, block, size);
}

/* Memory is taken away from it. */
SYS_ALWAYS_INLINE void mark_detach(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_DETACH, block, size);
}

/* It is given back. */
SYS_ALWAYS_INLINE void mark_free(const volatile void *block, uint32_t size)
{
    mark_block(FL_EVENT_MARK_FREE, block, size);
}

/* Of a program with several allocators: by their numbers, not 0, the check allocator-ownership
 * knows whether a block goes back to the one that it came from. */
SYS_ALWAYS_INLINE void mark_reserve_from(uint32_t allocator, const volatile void *block,
                                         uint32_t size)
{
    sys_mark(FL_EVENT_MARK_RESERVE, (uint32_t)(uintptr_t)block, size, allocator);
}

SYS_ALWAYS_INLINE void mark_free_to(uint32_t allocator, const volatile void *block, uint32_t size)
{
    sys_mark(FL_EVENT_MARK_FREE, (uint32_t)(uintptr_t)block, size, allocator);
}

/* ---- Operations with a sequential specification ----
 *
 * Said around an operation on an object, they are held by the check linearizable to what the object
 * would do one operation after another: specs.def has a register, a counter, a queue, a stack, a
 * set and a pool, FL_OPERATION_POOL_TAKE and so on. All objects begin empty, or with 0. Arguments
 * and results are numbers such as an index, no addresses: those differ between architectures. */

SYS_ALWAYS_INLINE void operation_begin(const volatile void *object, uint32_t operation,
                                       uint32_t argument)
{
    sys_mark(FL_EVENT_MARK_BEGIN, (uint32_t)(uintptr_t)object, argument, operation);
}

/* `result`: FL_SPEC_NONE when there was nothing to be had; any number where none is specified. */
SYS_ALWAYS_INLINE void operation_end(const volatile void *object, uint32_t operation,
                                     uint32_t result)
{
    sys_mark(FL_EVENT_MARK_END, (uint32_t)(uintptr_t)object, result, operation);
}

#endif
