/* faultline-vmm: runs one guest on KVM, in RAM that is somebody else's file, or says whether KVM
 * works here. What the guest is to do and what it did travels through that file. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "abi.h"
#include "cpuid.h"
#include "debug.h"
#include "elf_load.h"
#include "guest_run.h"
#include "measure.h"
#include "selftest_main.h"
#include "vcpu.h"

#define USAGE                                                                                      \
    "usage: faultline-vmm --ram FILE --image ELF   run a guest\n"                                  \
    "         [--debug SOCKET|PORT]                as a debugger there orders\n"                   \
    "       faultline-vmm --self-test [--json]     whether KVM works here\n"                       \
    "       faultline-vmm --measure                what it takes for an exit and the like\n"       \
    "FILE is guest RAM, shared with whoever wants to talk to the guest. Exit status: 0 the "       \
    "guest\n"                                                                                      \
    "powered off (or KVM works), 1 it ended otherwise, as the last line says, 2 cannot be done.\n"

enum { POWERED_OFF = 0, GUEST_DEAD = 1, CANNOT = 2 };

/* Maps the first `size` bytes of a file, or all of it if 0. NULL: complained. */
static void *map_file(const char *path, bool shared, size_t *size, struct complaint *complaint)
{
    struct stat status;
    int fd = open(path, (shared ? O_RDWR : O_RDONLY) | O_CLOEXEC);
    void *data = MAP_FAILED;
    if (fd >= 0 && fstat(fd, &status) == 0) {
        *size = *size != 0 ? *size : (size_t)status.st_size;
        if ((size_t)status.st_size >= *size)
            data = mmap(NULL, *size, PROT_READ | (shared ? PROT_WRITE : 0),
                        shared ? MAP_SHARED : MAP_PRIVATE, fd, 0);
        else
            errno = ENODATA;
    }
    if (data == MAP_FAILED)
        complain(complaint, "%s: %s", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return data != MAP_FAILED ? data : NULL;
}

static bool load(const char *image, uint8_t *ram, uint32_t *entry, struct complaint *complaint)
{
    size_t size = 0;
    void *file = map_file(image, false, &size, complaint);
    if (file == NULL)
        return false;
    bool ok = elf_load(file, size, ram, FL_RAM_SIZE, entry, complaint);
    munmap(file, size);
    return ok;
}

static bool prepare(struct vcpu *vcpu, const char *ram_path, const char *image,
                    struct complaint *complaint)
{
    size_t size = FL_RAM_SIZE;
    uint32_t entry;
    void *ram = map_file(ram_path, true, &size, complaint);
    if (ram == NULL || !load(image, ram, &entry, complaint))
        return false;
    int kvm = kvm_open(complaint);
    return kvm >= 0 && vcpu_open(vcpu, kvm, ram, size, complaint) &&
           cpuid_set(kvm, vcpu->fd, complaint) && vcpu_enter_protected(vcpu, entry, complaint);
}

static int run(const char *ram, const char *image, const char *debugger)
{
    int debug = -1;
    struct vcpu vcpu;
    struct complaint complaint;
    char text[EXIT_TEXT];
    if (!prepare(&vcpu, ram, image, &complaint) ||
        (debugger != NULL && (debug = debug_open(debugger, &complaint)) < 0)) {
        fprintf(stderr, "faultline-vmm: %s\n", complaint.text);
        return CANNOT;
    }
    if (debugger != NULL ? debug_run(&vcpu, debug, text) : guest_run(&vcpu, text))
        return POWERED_OFF;
    fprintf(stderr, "%s\n", text);
    return GUEST_DEAD;
}

int main(int argc, char **argv)
{
    static const struct option options[] = {
        {"ram", required_argument, NULL, 'r'},
        {"image", required_argument, NULL, 'i'},
        {"self-test", no_argument, NULL, 't'},
        {"measure", no_argument, NULL, 'm'},
        {"json", no_argument, NULL, 'j'},
        {"debug", required_argument, NULL, 'd'},
        {0},
    };
    const char *values[128] = {0};
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1)
        values[option] = optarg != NULL ? optarg : "";
    if (values['?'] != NULL)
        return CANNOT;
    if (optind < argc) {
        fprintf(stderr, "faultline-vmm: takes no words, but %s is one\n", argv[optind]);
        return CANNOT;
    }
    if (values['t'] != NULL)
        return selftest_main(values['j'] != NULL);
    if (values['m'] != NULL)
        return measure_main();
    if (values['r'] != NULL && values['i'] != NULL)
        return run(values['r'], values['i'], values['d']);
    fputs(USAGE, stderr);
    return CANNOT;
}
