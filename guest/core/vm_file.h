/* Files: what the file server has, as objects; and descriptors. */
#ifndef FAULTLINE_CORE_VM_FILE_H
#define FAULTLINE_CORE_VM_FILE_H

#include <stdbool.h>
#include <stdint.h>
#include "sys.h"
#include "vm_object.h"

/* Fetches a page of a file into the frame; puts it back. false: the server has no such page. */
bool vm_file_read(uint32_t file, uint32_t page, uint32_t frame);
bool vm_file_write(uint32_t file, uint32_t page, uint32_t frame);

/* The thread serves files; pages travel through the frame and the one behind it, which are pages of
 * its memory: what is read through the first, what is written through the second. */
void vm_file_serve(tid_t server, uint32_t frame);
/* The object of the file whose path is in core's message page, where the caller's came to be. NULL:
 * no such file, or no room; *error says which. */
struct vm_object *vm_file_open(uint32_t *error);

/* ---- Descriptors: tables that tasks have for themselves or share ---- */

#define VM_FILE_TABLES 14u
#define VM_DESCRIPTORS 4u

/* Tables have numbers from 1. 0: none is free. */
uint32_t vm_files_create(void);
uint32_t vm_files_share(uint32_t files);
uint32_t vm_files_copy(uint32_t files);
/* One user less; the last closes what is open. */
void vm_files_leave(uint32_t files);
/* The descriptor of an object that is opened by it; VM_DESCRIPTORS: the table is full. */
uint32_t vm_files_add(uint32_t files, struct vm_object *object);
struct vm_object *vm_files_find(uint32_t files, uint32_t descriptor);
bool vm_files_close(uint32_t files, uint32_t descriptor);
/* Tables and descriptors. */
uint32_t vm_files_in_use(void);

#endif
