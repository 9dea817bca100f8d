# Where the image lies: read by guest/image.ld.sh.
ram=0x0                     # physical, of the architecture
kernel=0xffffffff80000000   # kernel virtual - physical
described=0x80000000           # the same of its tables that belong to programs, below 2^32
first=0x00100000            # of RAM: where the image begins
