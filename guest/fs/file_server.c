#include <stdbool.h>
#include "file_server.h"
#include "memory.h"
#include "program.h"
#include "vm.h"

enum { ROOT, ONE, TWO, ONE_DATA, TWO_DATA, TWO_EMPTY, ONE_CODE, FILES };
enum { CODE_SIZE = 32 }; /* of code() at most */

static const struct {
    uint32_t directory; /* that it is in */
    const char *name;
    uint32_t size; /* in bytes */
    bool is_directory;
} files[FILES] = {
    [ONE] = {ROOT, "one", FL_PAGE_SIZE, true},
    [TWO] = {ROOT, "two", FL_PAGE_SIZE, true},
    [ONE_DATA] = {ONE, "data", FILE_PAGES *FL_PAGE_SIZE, false},
    [TWO_DATA] = {TWO, "data", FILE_PAGES *FL_PAGE_SIZE, false},
    [TWO_EMPTY] = {TWO, "empty", 0, false},
    [ONE_CODE] = {ONE, "code", CODE_SIZE, false},
};

enum { PAGE_WORDS = FL_PAGE_SIZE / sizeof(uint32_t) };

/* The pages that travel: one to core, one from there. */
static struct {
    uint32_t read[PAGE_WORDS], written[PAGE_WORDS];
} buffers __attribute__((aligned(FL_PAGE_SIZE)));

/* ---- Pages that were written; all others are as they were made ---- */

enum { KEPT = 3 };

static struct kept_page {
    uint32_t file; /* ROOT: free */
    uint32_t page;
    uint32_t words[PAGE_WORDS];
} kept[KEPT];

static struct kept_page *find_kept(uint32_t file, uint32_t page)
{
    for (struct kept_page *entry = kept; entry < kept + KEPT; entry++)
        if (entry->file == file && entry->page == page)
            return entry;
    return NULL;
}

/* ---- Names ---- */

/* Does the name come next in the path, and end there? */
static bool is_next(const char *path, const char *name)
{
    while (*name && *path == *name) {
        path++;
        name++;
    }
    return *name == '\0' && (*path == '/' || *path == '\0');
}

/* The file of that name in the directory, or ROOT. The name alone says nothing ("file open was
 * failing when using 2 files with same name"). */
static uint32_t find_in(uint32_t directory, const char *path)
{
    for (uint32_t file = ONE; file < FILES; file++)
        if (files[file].directory == directory && is_next(path, files[file].name))
            return file;
    return ROOT;
}

static uint32_t look_up(struct msg *msg)
{
    char *path = (char *)sys_utcb()->words;
    uint32_t file = ROOT;

    path[VM_PATH_MAX - 1] = '\0';
    while (*path == '/') {
        file = find_in(file, path + 1);
        if (file == ROOT)
            return FL_ERROR_NO_FILE;
        for (path++; *path != '/' && *path != '\0'; path++)
            continue;
    }
    msg->w[0] = file;
    msg->w[1] = files[file].size;
    return file == ROOT ? FL_ERROR_NO_FILE : FL_ERROR_OK;
}

/* ---- Pages ---- */

/* The last one need not be full. */
static uint32_t pages_of(uint32_t file)
{
    return (files[file].size + FL_PAGE_SIZE - 1) / FL_PAGE_SIZE;
}

static void list_directory(uint32_t directory)
{
    struct directory_entry *entry = (struct directory_entry *)buffers.read;

    for (uint32_t file = ONE; file < FILES; file++)
        if (files[file].directory == directory) {
            *entry = (struct directory_entry){.file = file, .length = sizeof(*entry)};
            for (uint32_t i = 0; files[file].name[i]; i++)
                entry->name[i] = files[file].name[i];
            entry++;
        }
}

/* What the page of /one/code begins with; it needs to lie nowhere in particular. */
static __attribute__((noinline)) uint32_t code(void)
{
    return FILE_CODE_RESULT;
}

static void make_page(uint32_t file, uint32_t page)
{
    memset(buffers.read, 0, FL_PAGE_SIZE);
    if (files[file].is_directory)
        list_directory(file);
    else if (file == ONE_CODE)
        memcpy(buffers.read, (const void *)(uintptr_t)code, CODE_SIZE);
    else
        buffers.read[0] = file_word(file - ONE_DATA, page);
}

static uint32_t read_page(struct msg *msg)
{
    uint32_t file = msg->w[0], page = msg->w[1];

    if (file == ROOT || file >= FILES || page >= pages_of(file))
        return FL_ERROR_NO_FILE;
    const struct kept_page *entry = find_kept(file, page);
    if (entry)
        memcpy(buffers.read, entry->words, FL_PAGE_SIZE);
    else
        make_page(file, page);
    return FL_ERROR_OK;
}

static uint32_t write_page(struct msg *msg)
{
    uint32_t file = msg->w[0], page = msg->w[1];

    if (file == ROOT || file >= FILES || files[file].is_directory || page >= pages_of(file))
        return FL_ERROR_NO_FILE;
    struct kept_page *entry = find_kept(file, page);
    if (!entry && !(entry = find_kept(ROOT, 0)))
        return FL_ERROR_NO_MEMORY;
    entry->file = file;
    entry->page = page;
    memcpy(entry->words, buffers.written, FL_PAGE_SIZE);
    return FL_ERROR_OK;
}

static uint32_t serve(struct msg *msg, void (*on_read)(void))
{
    switch (msg->label) {
    case FL_LABEL_FILE_LOOKUP:
        return look_up(msg);
    case FL_LABEL_FILE_READ:
        if (on_read)
            on_read();
        return read_page(msg);
    case FL_LABEL_FILE_WRITE:
        return write_page(msg);
    default:
        return FL_ERROR_INVALID;
    }
}

_Noreturn void file_server_run(void (*on_serving)(void), void (*on_read)(void))
{
    struct msg msg = {.w = {(uint32_t)(uintptr_t)&buffers}};
    tid_t caller = 0;

    program_expect(core_call(FL_LABEL_FILE_SERVE, &msg) == FL_ERROR_OK);
    if (on_serving)
        on_serving();
    for (;;) {
        program_expect(sys_reply_wait(&caller, &msg) == FL_ERROR_OK);
        msg.label = serve(&msg, on_read);
        msg.words = 0;
    }
}

_Noreturn void file_server_main(void)
{
    file_server_run(NULL, NULL);
}
