/* Tasks and their threads: fork, clone, exit. A domain becomes a task with its first vm call. */
#ifndef FAULTLINE_CORE_VM_TASK_H
#define FAULTLINE_CORE_VM_TASK_H

#include <stdint.h>
#include "domain.h"
#include "vm_area.h"

/* What core keeps of a thread that is known to have forked, been cloned, or opened a file. */
struct vm_thread {
    tid_t tid;            /* 0: this entry of the table is free */
    struct vm_task *task; /* NULL: it has exited */
    struct domain *domain;
    uint32_t files; /* its table of descriptors */
    tid_t parent;   /* who may reap it; 0: nobody */
    uint32_t code;  /* of its exit */
};

/* The thread's record, made when there is none: then the domain becomes a task, and its memory
 * objects. NULL: no memory. */
struct vm_thread *vm_thread_of(struct domain *domain, tid_t thread);

/* Tasks and such threads. */
uint32_t vm_tasks_in_use(void);

/* A new thread that starts at start->ip; flags: VM_CLONE_* of guest/lib/vm.h. */
uint32_t vm_thread_clone(struct vm_thread *self, struct sys_thread_args *start, uint32_t flags,
                         tid_t *thread);
/* Gives up the thread's part of task and descriptors; of the last, all that they have. */
void vm_thread_exit(struct vm_thread *thread, uint32_t code);
/* What is left of a child that has ended, after its exit. */
uint32_t vm_thread_reap(const struct vm_thread *self, tid_t child, uint32_t *code);

/* Policy (policy.h): the task's private objects are written no more. */
void vm_freeze(struct vm_task *task);

/* Policies: policy.h. */
void vm_drop_areas(struct vm_task *task);
void vm_end_fork(struct domain *child);

#endif
