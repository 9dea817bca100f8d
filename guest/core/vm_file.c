#include <stddef.h>
#include "audit.h"
#include "memory.h"
#include "refusal.h"
#include "vm_file.h"

/* ---- The file server ----
 * Who looks up a name or writes a page back waits for it, so its memory never faults meanwhile. It
 * is asked by two threads of core's (page_in.h), each of which has a page of its memory to itself:
 * what is read comes through one, what is written goes through the other. */

static struct {
    tid_t thread; /* 0: there is none */
    uint32_t read_frame, write_frame;
} server;

void vm_file_serve(tid_t thread, uint32_t frame)
{
    server.thread = thread;
    server.read_frame = frame;
    server.write_frame = frame + 1;
}

static bool ask(uint32_t label, struct msg *msg)
{
    msg->label = label;
    return server.thread && sys_call(server.thread, msg) == FL_ERROR_OK &&
           msg->label == FL_ERROR_OK;
}

bool vm_file_read(uint32_t file, uint32_t page, uint32_t frame)
{
    struct msg msg = {.w = {file, page}};

    if (!ask(FL_LABEL_FILE_READ, &msg))
        return false;
    memcpy(frame_memory(frame), frame_memory(server.read_frame), FL_PAGE_SIZE);
    return true;
}

bool vm_file_write(uint32_t file, uint32_t page, uint32_t frame)
{
    struct msg msg = {.w = {file, page}};

    memcpy(frame_memory(server.write_frame), frame_memory(frame), FL_PAGE_SIZE);
    return ask(FL_LABEL_FILE_WRITE, &msg);
}

/* A file has one object however often it is opened: the number says which it is, not the name. */
struct vm_object *vm_file_open(uint32_t *error)
{
    struct msg msg = {.words = SYS_MSG_PAGE_WORDS};

    *error = server.thread ? FL_ERROR_NO_FILE : FL_ERROR_NO_THREAD;
    if (!ask(FL_LABEL_FILE_LOOKUP, &msg))
        return NULL;
    struct vm_object *object = vm_object_of_file(msg.w[0]);
    if (object)
        return object;
    *error = FL_ERROR_NO_MEMORY;
    object = vm_object_create(FL_OBJECT_FILE, (msg.w[1] + FL_PAGE_SIZE - 1) / FL_PAGE_SIZE, NULL);
    if (object)
        object->file = msg.w[0];
    return object;
}

/* ---- Descriptors ---- */

static struct file_table {
    struct vm_object *open[VM_DESCRIPTORS];
    uint32_t users; /* 0: the table is free */
} tables[VM_FILE_TABLES];

AUDIT_FIELD(DESCRIPTOR_OBJECT, tables, open);

static struct file_table *table_of(uint32_t files)
{
    return &tables[files - 1];
}

uint32_t vm_files_create(void)
{
    if (refused(FL_FAIL_SLAB))
        return 0;
    for (uint32_t files = 1; files <= VM_FILE_TABLES; files++)
        if (table_of(files)->users == 0)
            return vm_files_share(files);
    return 0;
}

uint32_t vm_files_share(uint32_t files)
{
    table_of(files)->users++;
    return files;
}

uint32_t vm_files_copy(uint32_t files)
{
    uint32_t copy = vm_files_create();

    for (uint32_t i = 0; copy && i < VM_DESCRIPTORS; i++) {
        struct vm_object *object = vm_files_find(files, i);
        table_of(copy)->open[i] = object;
        if (object)
            vm_object_open(object);
    }
    return copy;
}

void vm_files_leave(uint32_t files)
{
    if (--table_of(files)->users == 0)
        for (uint32_t i = 0; i < VM_DESCRIPTORS; i++)
            vm_files_close(files, i);
}

uint32_t vm_files_add(uint32_t files, struct vm_object *object)
{
    uint32_t i = refused(FL_FAIL_SLAB) ? VM_DESCRIPTORS : 0;

    while (i < VM_DESCRIPTORS && vm_files_find(files, i))
        i++;
    if (i < VM_DESCRIPTORS) {
        table_of(files)->open[i] = object;
        vm_object_open(object);
    }
    return i;
}

struct vm_object *vm_files_find(uint32_t files, uint32_t descriptor)
{
    return descriptor < VM_DESCRIPTORS ? table_of(files)->open[descriptor] : NULL;
}

bool vm_files_close(uint32_t files, uint32_t descriptor)
{
    struct vm_object *object = vm_files_find(files, descriptor);

    if (!object)
        return false;
    table_of(files)->open[descriptor] = NULL;
    vm_object_close(object);
    return true;
}

uint32_t vm_files_in_use(void)
{
    uint32_t used = 0;

    for (uint32_t files = 1; files <= VM_FILE_TABLES; files++) {
        used += table_of(files)->users != 0;
        for (uint32_t i = 0; i < VM_DESCRIPTORS; i++)
            used += vm_files_find(files, i) != NULL;
    }
    return used;
}
