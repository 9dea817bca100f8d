#include <stddef.h>
#include "fault.h"
#include "mapping.h"
#include "memory.h"
#include "page_in.h"
#include "policy.h"
#include "refusal.h"
#include "rpc.h"
#include "vm_error.h"
#include "vm_file.h"
#include "vm_read.h"
#include "vm_task.h"

/* Whatever the page was a moment ago, mapped for reading or not at all: it is there now, and the
 * client may write to it. */
uint32_t vm_read_client_page(tid_t thread, uint32_t address)
{
    const struct domain *domain = domain_of(thread);
    const struct fault fault = {.thread = thread, .address = address, .access = FL_ACCESS_WRITE};
    uint32_t result = fault_for_client(domain, &fault);

    totals_note(); /* what a fault leaves is the client's, whatever comes of the read */
    if (result == FAULT_WAITS)
        return VM_PAGE_COMES;
    return result == FL_ERROR_OK ? mapping_at(domain->space, address)->frame : vm_error(result);
}

/* ---- Piece by piece: what lies in one page of the file and one of the buffer ---- */

struct piece {
    uint32_t to, from; /* frames */
    uint32_t buffer, offset, size;
};

static uint32_t until_page_ends(uint32_t address)
{
    return FL_PAGE_SIZE - address % FL_PAGE_SIZE;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Both pages are there: FL_ERROR_OK. */
static uint32_t make_present(const struct vm_read *read, struct vm_object *file,
                             struct piece *piece)
{
    piece->to = policy()->client_page(read->thread, piece->buffer);
    if (vm_is_error(piece->to))
        return piece->to == VM_PAGE_COMES ? RPC_WAITS : -piece->to;
    piece->from = vm_object_page_in(file, piece->offset / FL_PAGE_SIZE);
    if (piece->from == VM_PAGE_COMES)
        return RPC_WAITS;
    return piece->from ? FL_ERROR_OK : FL_ERROR_NO_MEMORY;
}

static void copy_piece(const struct piece *piece)
{
    memcpy((char *)frame_memory(piece->to) + piece->buffer % FL_PAGE_SIZE,
           (const char *)frame_memory(piece->from) + piece->offset % FL_PAGE_SIZE, piece->size);
}

/* Has all pages of the range present, and copies if that is asked for. */
static uint32_t each_piece(const struct vm_read *read, struct vm_object *file, uint32_t count,
                           bool copies)
{
    for (uint32_t done = 0, size; done < count; done += size) {
        struct piece piece = {.buffer = read->buffer + done, .offset = read->offset + done};
        piece.size = size = lesser(
            count - done, lesser(until_page_ends(piece.buffer), until_page_ends(piece.offset)));
        uint32_t status = make_present(read, file, &piece);
        if (status != FL_ERROR_OK)
            return status;
        if (copies)
            copy_piece(&piece);
    }
    return FL_ERROR_OK;
}

/* ---- The call ---- */

/* All of it, or nothing: as long as a page has to be waited for nothing is copied, and afterwards
 * all is looked up anew, since the client's other threads did not wait. */
static uint32_t serve_read(const struct vm_read *read, uint32_t *got)
{
    const struct vm_thread *self = vm_thread_of(domain_of(read->thread), read->thread);
    struct vm_object *file = self ? vm_files_find(self->files, read->descriptor) : NULL;
    uint32_t size = file ? file->pages * FL_PAGE_SIZE : 0;

    if (!file)
        return self ? FL_ERROR_NO_FILE : FL_ERROR_NO_MEMORY;
    *got = read->offset < size ? lesser(read->count, size - read->offset) : 0;
    uint32_t status = each_piece(read, file, *got, false);
    if (status == RPC_WAITS)
        page_in_wait_read(read);
    return status == FL_ERROR_OK ? each_piece(read, file, *got, true) : status;
}

uint32_t vm_read_rpc(struct domain *domain, tid_t sender, uint32_t *words)
{
    const struct vm_read read = {sender, words[0], words[1], words[2], words[3]};

    (void)domain;
    return serve_read(&read, &words[0]);
}

void vm_read_serve_again(const struct vm_read *read, bool arrived)
{
    struct msg answer = {0};

    answer.label = arrived ? serve_read(read, &answer.w[0]) : FL_ERROR_NO_FILE;
    if (answer.label != RPC_WAITS)
        sys_reply(read->thread, &answer);
}
