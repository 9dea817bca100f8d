# Where the image lies: read by guest/image.ld.sh.
ram=0x40000000      # physical, of the architecture
kernel=0x40000000   # kernel virtual - physical
described=0x40000000   # the same of its tables that belong to programs, below 2^32
first=0x00010000    # of RAM: where the image begins
