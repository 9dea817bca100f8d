#include <stddef.h>
#include "audit.h"
#include "core.h"
#include "dataspace.h"
#include "domain.h"
#include "frames.h"
#include "info.h"
#include "lane.h"
#include "memory.h"
#include "refusal.h"

/* Where core sees the scenario's initialised data while it copies it: free in every program. */
#define DATA_WINDOW 0x1e000000u

static struct domain domains[MAX_DOMAINS];

/* ---- threads ---- */

/* What core keeps for a thread. The message page of one that is destroyed stays with its domain,
 * for the domain's next thread: in the space it may still be mapped where the old thread had it. */
static struct client {
    tid_t tid;             /* 0: free */
    struct domain *domain; /* NULL: never used */
    uint32_t utcb_frame;
    tid_t pager;
} clients[FL_MAX_THREADS];

AUDIT_FIELD(CLIENT_FRAME, clients, utcb_frame);

/* The entry of the domain's thread. */
static struct client *client_find(const struct domain *domain, tid_t tid)
{
    for (struct client *client = clients; client < clients + FL_MAX_THREADS; client++)
        if (client->tid == tid && client->domain == domain)
            return client;
    return NULL;
}

/* A free entry that is the domain's already, or else nobody's, close to those of the parent. */
static struct client *client_free(const struct domain *domain, tid_t parent)
{
    struct client *fresh = NULL;
    const uint32_t first = lane_of(parent, FL_MAX_THREADS);

    for (uint32_t i = 0; i < FL_MAX_THREADS; i++) {
        struct client *client = &clients[(first + i) % FL_MAX_THREADS];
        if (client->tid == 0 && client->domain == domain && i < LANE_ENTRIES)
            return client;
        if (client->tid == 0 && !fresh && (client->domain == domain || !client->domain))
            fresh = client;
    }
    return fresh;
}

/* A message page of zeros. false: no memory. */
static bool client_prepare(struct client *client, struct domain *domain)
{
    if (client->domain)
        memset(frame_memory(client->utcb_frame), 0, FL_PAGE_SIZE);
    else if (!refused(FL_FAIL_SLAB) &&
             (client->utcb_frame = frame_alloc_home((uint32_t)(client - clients))))
        client->domain = domain;
    return client->domain != NULL;
}

static const struct client *client_of(tid_t thread)
{
    for (const struct client *client = clients; client < clients + FL_MAX_THREADS; client++)
        if (client->tid == thread)
            return client;
    return NULL;
}

struct domain *domain_of(tid_t thread)
{
    const struct client *client = client_of(thread);

    return client ? client->domain : NULL;
}

tid_t domain_pager_of(tid_t thread)
{
    const struct client *client = thread ? client_of(thread) : NULL;

    return client ? client->pager : 0;
}

static void client_drop(struct client *client)
{
    frame_free(client->utcb_frame);
    *client = (struct client){0};
}

/* The kernel has a table of threads, too. */
static uint32_t start_thread(const struct sys_thread_args *args, tid_t *thread)
{
    return refused(FL_FAIL_SLAB) ? FL_ERROR_NO_MEMORY : sys_thread_create(args, thread);
}

uint32_t domain_thread_create(struct domain *domain, const struct sys_thread_args *start,
                              tid_t *thread)
{
    struct client *client = client_free(domain, start->parent);
    bool fresh = client && !client->domain;
    struct sys_thread_args args = *start;

    *thread = 0;
    if (!client || !client_prepare(client, domain))
        return FL_ERROR_NO_MEMORY;
    args.space = domain->space;
    args.pager = client->pager = domain->pager;
    args.utcb_frame = client->utcb_frame;
    uint32_t status = start_thread(&args, &client->tid);
    if (status == FL_ERROR_OK)
        *thread = client->tid;
    else if (fresh)
        client_drop(client);
    else
        client->tid = 0;
    return status;
}

uint32_t domain_thread_destroy(const struct domain *domain, tid_t thread)
{
    struct client *client = thread ? client_find(domain, thread) : NULL;

    if (!client)
        return FL_ERROR_NO_THREAD;
    client->tid = 0;
    return FL_ERROR_OK;
}

/* ---- address spaces ---- */

struct region_map *domain_map(const struct domain *domain, uint32_t handle)
{
    if (handle == CORE_MAP_SPACE)
        return domain->map;
    if (handle == CORE_MAP_CONTEXT)
        return domain->context;
    const struct dataspace *dataspace = dataspace_find(domain->space, handle);
    return dataspace ? dataspace->map : NULL;
}

/* Attachments may lie between the program's own parts below and the message pages above. The
 * context area is a managed dataspace there, so that an ordinary attachment cannot land in it; it
 * is core's own, so that no program can take it out. */
static void make_maps(struct domain *domain)
{
    struct dataspace *context = dataspace_create_managed(FL_SPACE_CORE, 0, FL_CONTEXT_SIZE);

    domain->context = context->map;
    domain->map = region_map_create(FL_WINDOW_BASE, FL_UTCB_BASE, domain->space);
    region_attach_at(domain->map, context, FL_CONTEXT_BASE, 0, FL_RIGHTS_RWX);
}

/* `pages` new pages at `address`; the first frame. */
static uint32_t populate(const struct domain *domain, uint32_t address, uint32_t pages,
                         uint32_t rights)
{
    uint32_t frame = frame_alloc_row(pages);

    sys_map(domain->space, address, frame, pages, rights);
    return frame;
}

static void map_text(const struct domain *domain)
{
    const struct program_segments *program = &info()->program;

    sys_map(domain->space, program->text_base, program->text_frame, program->text_pages,
            FL_RIGHTS_RX);
}

static void load_program(struct domain *domain)
{
    const struct program_segments *program = &info()->program;

    map_text(domain);
    if (program->data_pages) {
        domain->data_frame =
            populate(domain, program->data_base, program->data_pages, FL_RIGHTS_RW);
        memcpy(frame_memory(domain->data_frame), (const void *)DATA_WINDOW,
               program->data_pages * FL_PAGE_SIZE);
    }
    if (program->bss_pages) {
        domain->bss_frame = populate(domain, program->bss_base, program->bss_pages, FL_RIGHTS_RW);
        memset(frame_memory(domain->bss_frame), 0, program->bss_pages * FL_PAGE_SIZE);
    }
}

static struct info *make_info(struct domain *domain, uint32_t index)
{
    domain->info_frame = populate(domain, FL_INFO_BASE, 1, FL_RIGHTS_R);
    struct info *page = frame_memory(domain->info_frame);

    memset(page, 0, FL_PAGE_SIZE);
    *page = *info();
    page->domain = index;
    return page;
}

struct domain *domain_fork(const struct domain *parent)
{
    uint32_t i = refused(FL_FAIL_SLAB) ? MAX_DOMAINS : 0;

    while (i < MAX_DOMAINS && domains[i].space)
        i++;
    if (i == MAX_DOMAINS || sys_space_create(FL_SPACE_DOMAIN(i)) != FL_ERROR_OK)
        return NULL;
    domains[i] = (struct domain){
        .space = FL_SPACE_DOMAIN(i), .info_frame = parent->info_frame, .pager = SYS_CORE};
    map_text(&domains[i]);
    sys_map(domains[i].space, FL_INFO_BASE, parent->info_frame, 1, FL_RIGHTS_R);
    return &domains[i];
}

/* Its number will be another's: nothing may stay mapped. */
void domain_end(struct domain *domain)
{
    const struct program_segments *program = &info()->program;

    sys_unmap(domain->space, program->text_base, program->text_pages);
    sys_unmap(domain->space, FL_INFO_BASE, 1);
    sys_unmap(domain->space, FL_UTCB_BASE, FL_MAX_THREADS);
    for (struct client *client = clients; client < clients + FL_MAX_THREADS; client++)
        if (client->domain == domain)
            client_drop(client);
    domain->space = FL_SPACE_KERNEL;
}

uint32_t domains_in_use(void)
{
    uint32_t used = 0;

    for (const struct domain *domain = domains; domain < domains + MAX_DOMAINS; domain++)
        used += domain->space != FL_SPACE_KERNEL;
    for (const struct client *client = clients; client < clients + FL_MAX_THREADS; client++)
        used += client->domain != NULL;
    return used;
}

static tid_t start_main(struct domain *domain, uint32_t index)
{
    uint32_t server = info()->server_domains >> index & 1;
    tid_t thread = 0;

    domain_thread_create(domain,
                         &(struct sys_thread_args){
                             .ip = info()->program.entry,
                             .flags = server ? SYS_THREAD_SERVER : 0,
                         },
                         &thread);
    return thread;
}

void domains_start(void)
{
    const struct info *run = info();
    volatile struct info *pages[FL_MAX_DOMAINS];
    tid_t mains[FL_MAX_DOMAINS];

    if (run->program.data_pages)
        sys_map(FL_SPACE_CORE, DATA_WINDOW, run->program.data_frame, run->program.data_pages,
                FL_RIGHTS_R);
    for (uint32_t i = 0; i < run->n_domains; i++) {
        domains[i].space = FL_SPACE_DOMAIN(i);
        domains[i].pager = SYS_CORE;
        sys_space_create(domains[i].space);
        make_maps(&domains[i]);
        load_program(&domains[i]);
        pages[i] = make_info(&domains[i], i);
    }
    for (uint32_t i = 0; i < run->n_domains; i++)
        mains[i] = start_main(&domains[i], i);
    for (uint32_t i = 0; i < run->n_domains; i++)
        for (uint32_t j = 0; j < run->n_domains; j++)
            pages[i]->mains[j] = mains[j];
}
