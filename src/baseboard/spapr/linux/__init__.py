"""What Linux on POWER shows its programs of the platform: the files that hot-plug tools read and write.

The tree is the guest's own: it starts as the platform's, and then changes only by what programs write into
`/proc/ppc64/ofdt`. From it follow processors, memory blocks and slots in sysfs, as they do in a real kernel.
Paths are relative to the root; nothing here touches a disk.
"""
