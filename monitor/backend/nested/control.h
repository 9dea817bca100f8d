/* What the monitor and the init of the nested lane say to each other, over the second serial port.
 *
 * The monitor sends one byte an order. The init answers, and tells the guest's end, in lines. */
#ifndef FAULTLINE_BACKEND_NESTED_CONTROL_H
#define FAULTLINE_BACKEND_NESTED_CONTROL_H

#define CONTROL_END   'e' /* end the VMM; answered by CONTROL_ENDED once it is gone, or was */
#define CONTROL_START 's' /* start another */
#define CONTROL_TELL  't' /* end the VMM by a signal, after which it says where the guest stood */

#define CONTROL_ENDED  "ended"   /* the answer */
#define CONTROL_GONE   "gone "   /* the VMM ended otherwise: status as of waitpid, its last line */
#define CONTROL_FAILED "failed " /* there can be no VMM; why */
#define CONTROL_LINE   512       /* the longest line, with its newline */

/* Names in the initial file system. */
#define NESTED_VMM   "faultline-vmm"
#define NESTED_GUEST "guest.elf"

#endif
