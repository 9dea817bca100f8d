#!/bin/bash
#@ limit=1500 alone full
# Lane libvirt, with 50 kills of the monitor instead of 20.
KILLS=50 lane=libvirt-long exec "$(dirname "$0")/libvirt.sh"
