/* Vm areas, tasks and files: what core does for a program beyond dataspaces, by IPC. Each call
 * returns FL_ERROR_* unless it says something else.
 *
 * A *task* is an address space with its areas and threads. A domain becomes one with its first
 * call: its data, bss and main's stack are then an area, and dataspaces go on as before. A forked
 * task has areas only, and sees all that its parent saw: private areas are copied on write, shared
 * ones are not. Areas lie between FL_WINDOW_BASE and FL_UTCB_BASE.
 */
#ifndef FAULTLINE_VM_H
#define FAULTLINE_VM_H

#include <stdint.h>
#include "core.h"
#include "program.h"

enum { /* flags of vm_map, beside FL_RIGHTS_*; without ANONYMOUS it is a file that is mapped */
       VM_MAP_SHARED = 8,
       VM_MAP_ANONYMOUS = 16,
};

enum {                      /* flags of vm_clone */
       VM_CLONE_SPACE = 1,  /* the caller's address space, else a copy of it */
       VM_CLONE_FILES = 2,  /* the caller's descriptors, else a copy of them */
       VM_CLONE_PARENT = 4, /* a child of the caller's parent, which may wait for it */
       VM_CLONE_THREAD = VM_CLONE_SPACE | VM_CLONE_FILES | VM_CLONE_PARENT,
};

enum { /* vm_policy: what core shall do wrong */
       CORE_POLICY_FORK_LEAVES_WRITABLE,
       CORE_POLICY_READ_FIRST_ONLY,
       CORE_POLICY_COPY_FOR_EACH_SHARER,
       CORE_POLICY_DROP_LARGER_ORIGINAL,
       CORE_POLICY_SHADOW_NOT_COUNTED,
       CORE_POLICY_ZERO_PAGE_OF_NOBODY,
       CORE_POLICY_SPLIT_WITHOUT_OBJECTS,
       CORE_POLICY_ONE_ANONYMOUS_OBJECT,
       CORE_POLICY_ONE_SHM_ADDRESS,
       CORE_POLICY_UPPER_RANGE_IS_ERROR,
       CORE_POLICY_DUPLICATES_UNSOUGHT,   /* and found late where a page would be allocated */
       CORE_POLICY_DUPLICATES_OVERSOUGHT, /* VM_LOOKS times, to see what one look costs */
       CORE_POLICY_DUPLICATES_UNSEEN,
       CORE_POLICY_DUPLICATES_LATE,
       CORE_POLICY_RIGHTS_AS_RAISED,
       CORE_POLICY_WAITS_FOR_SERVER,
       CORE_POLICY_LENT_ANYWAY,
       CORE_POLICY_UNCOUNTED_IN_ASSERTION,
       CORE_POLICY_GOES_ON_WITHOUT_AREA,
       CORE_POLICY_ANSWERED_ALL_THE_SAME,
       CORE_POLICY_READ_INTO_WHAT_IS_SEEN,
       CORE_POLICY_READ_INTO_WHAT_IS_MAPPED,
       CORE_POLICY_READ_INTO_WHAT_WAS_THERE,
       CORE_POLICY_WRITTEN_AGAIN, /* from here on: guest/mutations */
       CORE_POLICY_NOT_COPIED,
       CORE_POLICY_DELETED_EARLY,
       CORE_POLICY_NOT_COUNTED,
       CORE_POLICY_ALL_RIGHTS,
       CORE_POLICY_STILL_MAPPED,
       CORE_POLICY_AREA_KEPT,
       CORE_POLICY_TASK_KEPT, /* seen by --fail only */
};

#define VM_LOOKS    64u
#define VM_PATH_MAX (SYS_MSG_PAGE_WORDS * 4u)

/* guest/arch/.../fork.S. The first returns twice: the thread's id, 0 in the child; or VM_NO_THREAD.
 * The second calls and ends the thread without a stack, which is gone by then. */
tid_t arch_fork(tid_t core, uint32_t tag, uint32_t call);
_Noreturn void arch_exit(tid_t core, uint32_t tag, uint32_t call, uint32_t code, uint32_t end);

#define VM_NO_THREAD UINT32_MAX

/* A task with a copy of everything; its thread is the caller's next child. */
SYS_ALWAYS_INLINE tid_t vm_fork(void)
{
    return arch_fork(SYS_CORE, FL_LABEL_CLONE, SYS_IPC_CALL);
}

/* A thread that starts at ip(arg) on the stack that ends at sp. */
SYS_ALWAYS_INLINE uint32_t vm_clone(void (*ip)(void *arg), uint32_t sp, void *arg, uint32_t flags,
                                    tid_t *thread)
{
    struct msg msg = {.w = {(uint32_t)(uintptr_t)ip, sp, (uint32_t)(uintptr_t)arg, flags}};
    uint32_t status = core_call(FL_LABEL_CLONE, &msg);
    *thread = msg.w[0];
    return status;
}

/* Gives up all that the task has, when the caller is its last thread, and ends the caller. */
SYS_ALWAYS_INLINE _Noreturn void vm_exit(uint32_t code)
{
    arch_exit(SYS_CORE, FL_LABEL_EXIT, SYS_IPC_CALL, code, SYS_THREAD_EXIT);
}

/* Waits for the end of a child of the caller's and takes its exit code. */
SYS_ALWAYS_INLINE uint32_t vm_wait(tid_t child, uint32_t *code)
{
    struct msg msg = {.w = {child}};
    sys_thread_join(child);
    uint32_t status = core_call(FL_LABEL_REAP, &msg);
    *code = msg.w[0];
    return status;
}

/* Maps whole pages at *address, or where there is room when that is 0: zeroed memory, or the
 * descriptor's file from page `page` on. Private: what is written stays with the task. */
SYS_ALWAYS_INLINE uint32_t vm_map(uint32_t *address, uint32_t pages, uint32_t flags,
                                  uint32_t descriptor, uint32_t page)
{
    struct msg msg = {.w = {*address, pages * FL_PAGE_SIZE | flags, descriptor, page}};
    uint32_t status = core_call(FL_LABEL_MMAP, &msg);
    *address = msg.w[0];
    return status;
}

/* Takes a range out of whatever areas it reaches. */
SYS_ALWAYS_INLINE uint32_t vm_unmap(uint32_t address, uint32_t pages)
{
    struct msg msg = {.w = {address, pages * FL_PAGE_SIZE}};
    return core_call(FL_LABEL_MUNMAP, &msg);
}

/* The memory that goes by this name (31 bits), made when it is asked for first; at the same address
 * in every task. It goes with the last who has it. */
SYS_ALWAYS_INLINE uint32_t vm_shm_attach(uint32_t key, uint32_t pages, uint32_t *address)
{
    struct msg msg = {.w = {key, pages * FL_PAGE_SIZE}};
    uint32_t status = core_call(FL_LABEL_SHM_ATTACH, &msg);
    *address = msg.w[0];
    return status;
}

/* A thread's page for messages too long for the kernel: memory that it shares with its servers,
 * which see it at the same address; no two threads have theirs at one. thread = 0: the caller's
 * own, made when it is asked for first. A forked task has its parent's mapped, too, but that is for
 * messages of the parent's. NO_THREAD: that thread has not asked for its own. */
SYS_ALWAYS_INLINE uint32_t vm_message_page(tid_t thread, uint32_t *address)
{
    struct msg msg = {.w = {thread}};
    uint32_t status = core_call(FL_LABEL_MESSAGE_PAGE, &msg);
    *address = msg.w[0];
    return status;
}

/* Opens the file of that path, at most VM_PATH_MAX with its end. NO_FILE; NO_THREAD: there
 * is no file server yet. *size: in bytes, rounded
 * up to pages. */
SYS_ALWAYS_INLINE uint32_t vm_open(const char *path, uint32_t *descriptor, uint32_t *size)
{
    struct msg msg = {.words = SYS_MSG_PAGE_WORDS};
    char *words = (char *)sys_utcb()->words;
    for (uint32_t i = 0; i < VM_PATH_MAX && (words[i] = path[i]); i++)
        continue;
    uint32_t status = core_call(FL_LABEL_OPEN, &msg);
    *descriptor = msg.w[0];
    *size = msg.w[1];
    return status;
}

SYS_ALWAYS_INLINE uint32_t vm_close(uint32_t descriptor)
{
    struct msg msg = {.w = {descriptor}};
    return core_call(FL_LABEL_CLOSE, &msg);
}

/* Reads at most `count` bytes of the descriptor's file, from byte `offset` on, into memory of the
 * caller's, which need not be there yet. *got: as many as the file has there. All of them are read,
 * or none. NO_REGION, NO_RIGHTS: no such memory, or not to be written to. */
SYS_ALWAYS_INLINE uint32_t vm_read(uint32_t descriptor, uint32_t buffer, uint32_t count,
                                   uint32_t offset, uint32_t *got)
{
    struct msg msg = {.w = {descriptor, buffer, count, offset}};
    uint32_t status = core_call(FL_LABEL_READ, &msg);
    *got = msg.w[0];
    return status;
}

/* Has core do one thing wrong from now on, for scenarios that show what comes of it. */
SYS_ALWAYS_INLINE uint32_t vm_policy(uint32_t policy)
{
    struct msg msg = {.w = {policy}};
    return core_call(FL_LABEL_POLICY, &msg);
}

/* The first word of the page-th page from `address` on. */
SYS_ALWAYS_INLINE volatile uint32_t *vm_word(uint32_t address, uint32_t page)
{
    return (volatile uint32_t *)(address + page * FL_PAGE_SIZE);
}

/* What a task wrote must be read back: else its thread ends with an error that names the place. */
SYS_ALWAYS_INLINE void vm_expect_word(const volatile uint32_t *there, uint32_t value)
{
    if (*there != value)
        program_raise(FL_ERROR_WRONG_CONTENT, (uint32_t)(uintptr_t)there);
}

#endif
