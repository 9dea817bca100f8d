/* Reading a guest image. Its bytes are a stranger's: every count and string is checked here, once,
 * so that nothing after has to, and each way to be wrong is one line of what and how to mend it. */
#include "image.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "objects.h"
#include "symbols.h"

#define IMAGE_MAX_BYTES     (64u << 20)
#define IMAGE_MAX_SCENARIOS 256u /* FL_PROGRAM_BASE onward has room for this many programs */

#define AUDIT_MAX_SIZE    256u
#define AUDIT_MAX_STRIDE  4096u
#define AUDIT_MAX_ENTRIES (FL_RAM_SIZE / FL_PAGE_SIZE)

/* What image_close has to undo and nobody else needs to see. */
struct opened {
    struct image image; /* first: an image is cast back to this */
    Elf *elf;
};

static const struct {
    const char *name;
    GElf_Half machine;
} archs[] = {
    [FL_ARCH_ARMV7] = {"armv7", EM_ARM},
    [FL_ARCH_X86_64] = {"x86_64", EM_X86_64},
};

static bool refuse(GError **error, enum image_error code, const char *path, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static bool refuse(GError **error, enum image_error code, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *what = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error(error, IMAGE_ERROR, (gint)code, "guest image %s %s", path, what);
    g_free(what);
    return false;
}

static bool read_all(int fd, char *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

static bool read_file(struct image *image, GError **error)
{
    int fd = open(image->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat status;
    if (fd < 0 || fstat(fd, &status) != 0) {
        refuse(error, IMAGE_ERROR_OPEN, image->path, "cannot be opened: %s%s", g_strerror(errno),
               errno == ENOENT ? "; build it with `make`" : "");
        if (fd >= 0)
            close(fd);
        return false;
    }
    bool plain = S_ISREG(status.st_mode) && status.st_size <= (off_t)IMAGE_MAX_BYTES;
    char *data = NULL;
    bool ok = plain;
    if (!plain) {
        refuse(error, IMAGE_ERROR_NOT_ELF, image->path,
               "is no ELF file (not a plain file, or above %u MiB)", IMAGE_MAX_BYTES >> 20);
    } else {
        data = g_malloc((size_t)status.st_size + 1);
        ok = read_all(fd, data, (size_t)status.st_size);
        if (!ok)
            refuse(error, IMAGE_ERROR_OPEN, image->path, "cannot be read to its end: %s",
                   g_strerror(errno));
    }
    close(fd);
    image->data = data;
    image->size = ok ? (size_t)status.st_size : 0;
    return ok;
}

static bool open_elf(struct opened *opened, GError **error)
{
    struct image *image = &opened->image;
    elf_version(EV_CURRENT);
    if (image->size >= SELFMAG)
        opened->elf = elf_memory((char *)image->data, image->size);
    if (opened->elf == NULL || elf_kind(opened->elf) != ELF_K_ELF)
        return refuse(error, IMAGE_ERROR_NOT_ELF, image->path, "is no ELF file");
    return true;
}

/* Bytes of the section of that name; NULL when there is none or it lies outside of the file. */
static const void *section(Elf *elf, const char *name, size_t *size)
{
    size_t names;
    if (elf_getshdrstrndx(elf, &names) != 0)
        return NULL;
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn != NULL; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr header;
        if (gelf_getshdr(scn, &header) == NULL)
            continue;
        const char *found = elf_strptr(elf, names, header.sh_name);
        if (found == NULL || strcmp(found, name) != 0)
            continue;
        Elf_Data *data = elf_rawdata(scn, NULL);
        if (data == NULL || data->d_buf == NULL)
            return NULL;
        *size = data->d_size;
        return data->d_buf;
    }
    return NULL;
}

static bool check_header(const struct image *image, GError **error)
{
    const struct fl_image *header = &image->header;
    if (header->magic != FL_ABI_MAGIC)
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "is no Faultline guest: magic 0x%08x instead of 0x%08x", header->magic,
                      FL_ABI_MAGIC);
    if (header->abi_version != FL_ABI_VERSION)
        return refuse(error, IMAGE_ERROR_ABI, image->path,
                      "has ABI version %u and this monitor has %u; rebuild it with `make`",
                      header->abi_version, FL_ABI_VERSION);
    if (header->arch == 0 || header->arch >= G_N_ELEMENTS(archs))
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "is for architecture %u, which this monitor does not know", header->arch);
    if (header->ram_size != FL_RAM_SIZE || header->shared_offset != FL_SHARED_OFFSET ||
        header->shared_size != sizeof(struct fl_shared))
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "has memory sizes out of range: RAM 0x%x, shared window 0x%x + 0x%x",
                      header->ram_size, header->shared_offset, header->shared_size);
    if (header->n_scenarios == 0 || header->n_scenarios > IMAGE_MAX_SCENARIOS)
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path, "holds %u scenarios (1 to %u)",
                      header->n_scenarios, IMAGE_MAX_SCENARIOS);
    return true;
}

static bool read_header(struct opened *opened, GError **error)
{
    struct image *image = &opened->image;
    size_t size = 0;
    const void *bytes = section(opened->elf, ".faultline.image", &size);
    if (bytes == NULL || size < sizeof image->header)
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "is no Faultline guest: it has no section .faultline.image of %zu bytes",
                      sizeof image->header);
    memcpy(&image->header, bytes, sizeof image->header);
    if (!check_header(image, error))
        return false;

    GElf_Ehdr elf_header;
    unsigned arch = image->header.arch;
    if (gelf_getehdr(opened->elf, &elf_header) == NULL ||
        elf_header.e_machine != archs[arch].machine || elf_header.e_ident[EI_DATA] != ELFDATA2LSB)
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "says that it is for %s, but its ELF header is for another machine",
                      archs[arch].name);
    image->arch = archs[arch].name;
    return true;
}

/* Ids name directories and are typed into shells. */
static bool is_id(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    return length > 0 && length < size &&
           strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-") == length;
}

static bool is_text(const char *text, size_t size)
{
    size_t length = strnlen(text, size);
    return length < size && g_utf8_validate(text, (gssize)length, NULL);
}

#define IS_ID(field)   is_id(field, sizeof(field))
#define IS_TEXT(field) is_text(field, sizeof(field))

static const char *variant_fault(const struct fl_scenario *scenario, unsigned index)
{
    const struct fl_variant *variant = &scenario->variants[index];
    if (!IS_ID(variant->id) || !IS_ID(variant->expect) || !IS_TEXT(variant->summary))
        return "a text of a variant is empty, unterminated or not UTF-8";
    if (scenario_variant(scenario, variant->id) != (int)index)
        return "two variants have one id";
    if (variant->n_halts > FL_MAX_EXPECTED || variant->depth > FL_DEPTH_INSN ||
        variant->bound > FL_MAX_PREEMPTIONS || variant->sees >= FL_EVENT_COUNT)
        return "a number of a variant is out of range";
    return NULL;
}

static const char *param_fault(const struct fl_param *param)
{
    if (!IS_ID(param->id) || !IS_TEXT(param->summary))
        return "a text of a parameter is empty, unterminated or not UTF-8";
    if (param->min > param->preset || param->preset > param->max)
        return "a parameter's preset is outside of its own range";
    return NULL;
}

/* What is wrong with it; NULL: nothing. */
static const char *scenario_fault(const struct fl_scenario *scenario)
{
    if (!IS_ID(scenario->id) || !IS_TEXT(scenario->summary) || !IS_TEXT(scenario->source) ||
        !IS_TEXT(scenario->threads))
        return "a text is empty, unterminated or not UTF-8";
    if (scenario->n_domains == 0)
        return "it has no domain, so no thread: n_domains and domains[] must name one at least";
    if (scenario->n_variants == 0)
        return "it has no variant: n_variants and variants[] must describe one at least";
    if (scenario->n_domains > FL_MAX_DOMAINS || scenario->n_named > FL_MAX_NAMED_THREADS ||
        scenario->n_params > FL_MAX_PARAMS || scenario->n_variants > FL_MAX_VARIANTS)
        return "a count is out of range";
    for (unsigned i = 0; i < scenario->n_domains; i++) {
        if (!IS_ID(scenario->domains[i].name))
            return "the name of a domain is empty or unterminated";
    }
    for (unsigned i = 0; i < scenario->n_named; i++) {
        if (!IS_ID(scenario->named[i].name))
            return "the name of a thread is empty or unterminated";
    }
    const char *fault = NULL;
    for (unsigned i = 0; i < scenario->n_params && fault == NULL; i++)
        fault = param_fault(&scenario->params[i]);
    for (unsigned i = 0; i < scenario->n_variants && fault == NULL; i++)
        fault = variant_fault(scenario, i);
    return fault;
}

static bool read_scenarios(struct opened *opened, GError **error)
{
    struct image *image = &opened->image;
    size_t wanted = image->header.n_scenarios * sizeof(struct fl_scenario);
    size_t size = 0;
    const void *bytes = section(opened->elf, ".faultline.scenarios", &size);
    if (bytes == NULL || size < wanted)
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "has a table of scenarios of %zu bytes where %u scenarios need %zu",
                      bytes != NULL ? size : 0, image->header.n_scenarios, wanted);
    if (size >= wanted + sizeof(struct fl_scenario))
        return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                      "describes %zu scenarios and has programs for %u: a program has one",
                      size / sizeof(struct fl_scenario), image->header.n_scenarios);
    /* A copy, since the file need not have aligned it. */
    image->scenarios = g_memdup2(bytes, wanted);
    image->n_scenarios = image->header.n_scenarios;
    for (size_t i = 0; i < image->n_scenarios; i++) {
        const char *fault = scenario_fault(&image->scenarios[i]);
        if (fault == NULL && image_scenario(image, image->scenarios[i].id) != (int)i)
            fault = "an earlier one has the same id";
        if (fault != NULL)
            return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                          "has a damaged scenario (number %zu): %s", i + 1, fault);
    }
    return true;
}

static bool audit_field_sound(const struct fl_audit_field *field)
{
    return field->id < FL_AUDIT_FIELD_COUNT && field->size > 0 && field->size <= AUDIT_MAX_SIZE &&
           (field->size < 4 ? field->size != 3 : field->size % 4 == 0) &&
           field->stride >= field->size && field->stride - field->size >= field->offset &&
           field->stride <= AUDIT_MAX_STRIDE && field->count > 0 &&
           field->count <= AUDIT_MAX_ENTRIES;
}

/* A guest may have nothing to audit, and then has no such section. */
static bool read_audit(struct opened *opened, GError **error)
{
    struct image *image = &opened->image;
    bool seen[FL_AUDIT_FIELD_COUNT] = {false};
    size_t size = 0;
    const void *bytes = section(opened->elf, ".faultline.audit", &size);
    if (bytes == NULL)
        return true;
    image->audit = g_memdup2(bytes, size);
    image->n_audit = size / sizeof *image->audit;
    for (size_t i = 0; i < image->n_audit; i++) {
        const struct fl_audit_field *field = &image->audit[i];
        if (!audit_field_sound(field) || seen[field->id])
            return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                          "has a damaged table of what to audit (row %zu); rebuild it with `make`",
                          i + 1);
        seen[field->id] = true;
    }
    return true;
}

static bool state_row_sound(const struct fl_state_row *row)
{
    return row->object.address != 0 && row->count > 0 && row->size > 0 &&
           row->size <= FL_RAM_SIZE && row->stride <= FL_RAM_SIZE / row->count &&
           row->offset <= row->stride && row->size <= row->stride - row->offset &&
           row->kept <= FL_STATE_ROW_DEAD;
}

/* A guest may leave it open what its state is, and then has no such section. */
static bool read_state(struct opened *opened, GError **error)
{
    struct image *image = &opened->image;
    size_t size = 0;
    const void *bytes = section(opened->elf, ".faultline.state", &size);
    if (bytes == NULL)
        return true;
    image->state = g_memdup2(bytes, size);
    image->n_state = size / sizeof *image->state;
    for (size_t i = 0; i < image->n_state; i++)
        if (!state_row_sound(&image->state[i]))
            return refuse(error, IMAGE_ERROR_NOT_GUEST, image->path,
                          "has a damaged table of its state (row %zu); rebuild it with `make`",
                          i + 1);
    return true;
}

struct image *image_open(const char *path, GError **error)
{
    struct opened *opened = g_new0(struct opened, 1);
    struct image *image = &opened->image;
    image->path = g_strdup(path);
    if (!read_file(image, error) || !open_elf(opened, error) || !read_header(opened, error) ||
        !read_scenarios(opened, error) || !read_audit(opened, error) ||
        !read_state(opened, error)) {
        image_close(image);
        return NULL;
    }
    char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, image->data, image->size);
    g_strlcpy(image->hash, hash, sizeof image->hash);
    g_free(hash);
    image->debug = image_debug_new(opened->elf);
    image->objects = image_objects_new(opened->elf);
    return image;
}

void image_close(struct image *image)
{
    if (image == NULL)
        return;
    struct opened *opened = (struct opened *)image;
    image_debug_free(image->debug);
    image_objects_free(image->objects);
    elf_end(opened->elf);
    g_free((void *)image->scenarios);
    g_free((void *)image->audit);
    g_free((void *)image->state);
    g_free((void *)image->data);
    g_free(image->path);
    g_free(opened);
}

int image_scenario(const struct image *image, const char *id)
{
    for (size_t i = 0; i < image->n_scenarios; i++) {
        if (strcmp(image->scenarios[i].id, id) == 0)
            return (int)i;
    }
    return -1;
}

int scenario_variant(const struct fl_scenario *scenario, const char *id)
{
    for (unsigned i = 0; i < scenario->n_variants; i++) {
        if (strcmp(scenario->variants[i].id, id) == 0)
            return (int)i;
    }
    return -1;
}
