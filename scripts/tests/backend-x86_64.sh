#!/bin/bash
#@ limit=600
# The second architecture under TCG means what the first one does.
exec "$(dirname "$0")/../backend-tests" qemu-x86_64 places window session access verbs determinism gdb
