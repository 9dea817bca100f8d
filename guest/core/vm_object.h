/* Vm objects: what pages come from. An object owns pages; what it does not have is looked for in
 * the object behind it, and so on to the end of the chain.
 *
 * Anonymous memory and shadows are private: they hold what a task wrote, in front of what it would
 * see otherwise. A fork freezes them, and the next write to either side puts a new shadow in front.
 * (Codezero's pager, seed 004: mm0's vm objects, shadows and their counts.)
 */
#ifndef FAULTLINE_CORE_VM_OBJECT_H
#define FAULTLINE_CORE_VM_OBJECT_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"
#include "frames.h"

struct vm_object {
    struct vm_object *behind;
    struct frame_list frames;
    uint16_t kind;      /* FL_OBJECT_*; NONE: this entry of the table is free */
    uint16_t links;     /* areas that show it in front */
    uint16_t shadows;   /* objects right before it */
    uint16_t openers;   /* descriptors open on it */
    uint16_t owned;     /* pages in `frames` */
    bool writable;      /* its pages may be written; a fork takes that away */
    uint32_t pages;     /* its size */
    uint32_t number;    /* in the trace; never given twice */
    uint32_t key, base; /* shared memory that has a name: where it lies in every task */
    uint32_t file;      /* the file server's number of it */
};

/* Private memory, which may be merged into what shadows it. */
static inline bool vm_object_is_private(const struct vm_object *object)
{
    return object->kind == FL_OBJECT_ANONYMOUS || object->kind == FL_OBJECT_SHADOW;
}

/* A writable object before `behind`, which may be NULL. NULL: no entry of the table is free. */
struct vm_object *vm_object_create(uint32_t kind, uint32_t pages, struct vm_object *behind);
/* The one of this kind that has this number of the file server, or key; or NULL. */
struct vm_object *vm_object_of_file(uint32_t file);
struct vm_object *vm_object_of_key(uint32_t key);
/* Page 0 of it stands for every page that nobody wrote. NULL: no memory. */
struct vm_object *vm_object_devzero(void);
/* But for devzero; and the frames that devzero has. */
uint32_t vm_objects_in_use(void);
uint32_t vm_object_zero_frames(void);
/* An address that no other shared memory with a name has. */
uint32_t vm_object_unique_address(uint32_t pages);

/* An area shows the object in front, or does so no longer; then the object is kept, merged into its
 * only shadow, or deleted, by what still refers to it. The same for descriptors. */
void vm_object_link(struct vm_object *object);
void vm_object_unlink(struct vm_object *object);
void vm_object_open(struct vm_object *object);
void vm_object_close(struct vm_object *object);
/* Makes it the shadow of another; what was behind it loses a shadow. */
void vm_object_set_behind(struct vm_object *object, struct vm_object *behind);
/* Policies: policy.h. */
bool vm_object_unshadowed(const struct vm_object *object);
void vm_object_count_shadow(struct vm_object *object);
void vm_object_uncount_shadow(struct vm_object *object);
/* Deletes what nothing refers to, for objects that were made and never linked. */
void vm_object_settle(struct vm_object *object);

/* The object's own page. 0: it has none. */
uint32_t vm_object_page(const struct vm_object *object, uint32_t page);
void vm_object_own(struct vm_object *object, uint32_t page, uint32_t frame);
/* Gives back a frame that was to be that page, and did not become it. */
void vm_object_refuse(const struct vm_object *object, uint32_t page, uint32_t frame);
/* Frees the pages of a range that nobody can see any more. */
void vm_object_trim(struct vm_object *object, uint32_t page, uint32_t pages);
/* The page for whoever looks into the object: a file's is fetched (VM_PAGE_COMES of vm_error.h),
 * devzero has one for all. */
uint32_t vm_object_page_in(struct vm_object *object, uint32_t page);

#endif
