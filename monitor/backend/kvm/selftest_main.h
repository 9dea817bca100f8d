#ifndef FAULTLINE_KVM_SELFTEST_MAIN_H
#define FAULTLINE_KVM_SELFTEST_MAIN_H

#include <stdbool.h>

/* `faultline-vmm --self-test`: exit status 0 when this KVM can carry the rig, else 1. */
int selftest_main(bool json);

#endif
