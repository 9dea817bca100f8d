#ifndef FAULTLINE_KVM_MEASURE_H
#define FAULTLINE_KVM_MEASURE_H

/* `faultline-vmm --measure`: what this KVM takes for an exit and the like, a line each. Returns the
 * exit status: 0, 1 when something could not be measured, 2 when there is no KVM. */
int measure_main(void);

#endif
