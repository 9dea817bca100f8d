/* Domains: the protection domains of the scenario, an address space each, and their threads. */
#ifndef FAULTLINE_CORE_DOMAIN_H
#define FAULTLINE_CORE_DOMAIN_H

#include <stdint.h>
#include "region.h"
#include "sys.h"

struct vm_task;

/* As many as the kernel has address spaces for. */
#define MAX_DOMAINS 14u

struct domain {
    uint32_t space;                 /* FL_SPACE_DOMAIN(i); 0: this entry of the table is free */
    struct region_map *map;         /* its address space, as far as attachments go; NULL: forked */
    struct region_map *context;     /* its context area */
    struct vm_task *task;           /* NULL: it made no vm call yet */
    uint32_t data_frame, bss_frame; /* what it was loaded into, until that is the task's; else 0 */
    uint32_t info_frame;
    tid_t pager; /* of the threads that it makes from now on */
};

/* Makes every domain of the scenario, each with its program and its main thread. */
void domains_start(void);

/* A thread of the domain, child of `parent` (0: the main thread), with the domain's pager. */
uint32_t domain_thread_create(struct domain *domain, const struct sys_thread_args *start,
                              tid_t *thread);
/* Forgets a thread. One that lives on loses its message page to the domain's next thread, and its
 * next fault halts it: a domain can hurt itself so, nobody else. */
uint32_t domain_thread_destroy(const struct domain *domain, tid_t thread);
/* The domain of a thread, or NULL: not a thread that core made. */
struct domain *domain_of(tid_t thread);

/* Where its faults go; 0: not a thread that core made. */
tid_t domain_pager_of(tid_t thread);

/* A domain with the program and nothing else: no data, no attachments, no thread. NULL: no address
 * space is left. */
struct domain *domain_fork(const struct domain *parent);
/* The opposite, when its threads have ended and its task has. */
void domain_end(struct domain *domain);

/* Domains, and what is kept of their threads. */
uint32_t domains_in_use(void);

/* The region map that a handle names (core.h), or NULL. */
struct region_map *domain_map(const struct domain *domain, uint32_t handle);

#endif
