/* One guest of the self-test, in this process. */
#ifndef FAULTLINE_KVM_TRIAL_H
#define FAULTLINE_KVM_TRIAL_H

#include "selftest.h"

/* false: what happened instead. May crash or hang with the KVM that it tests. */
bool trial_run(int kvm, enum probe_id id, struct complaint *what);

#endif
