// Calls that only tests make. Every function answers >= 0, or -errno.
#ifndef CFSRTESTLINUX_H
#define CFSRTESTLINUX_H

#include <stdint.h>

// Puts the calling thread into a network namespace of its own; threads and processes it starts are there too.
int cfsrtest_new_network(void);
int cfsrtest_interface_up(const char *name);
int cfsrtest_remove_interface(const char *name);
// A socket on which the interface's frames are read, and frames are written that the interface then sends.
int cfsrtest_packet_socket(const char *name);
// Whether the tap stays when its last queue goes.
int cfsrtest_tap_persist(int fd, int persists);

// Things that belong to the process that makes them: a ring, a virtual machine of KVM, a vCPU of one.
int cfsrtest_ring(void);
int cfsrtest_machine(void);
int cfsrtest_vcpu(int machine);

// Locks the whole file, as this process (fcntl(2)'s F_SETLK); the lock goes with the descriptor that is answered.
int cfsrtest_lock_file(const char *path);
// Makes this process another user's, with that user's group alone and no right beyond.
int cfsrtest_become(unsigned user);
// Becomes the program that the first of the arguments names.
int cfsrtest_execute(char *const arguments[]);
// Runs the program that the first of the arguments names, becomes the parent of all that it leaves behind, and answers the exit
// status of whatever ends last; 128 and the signal for what was killed.
int cfsrtest_adopt(char *const arguments[]);
// The root of a new tmpfs of `size`, as for mount(8), which is mounted nowhere and goes with the descriptor.
int cfsrtest_small_disk(const char *size, int is_read_only);

// From here to the end of the watch each store of any thread into the pages at `address` is noted. One watch at a time;
// -ENOSYS on a processor for which nobody has written it.
int cfsrtest_watch_stores(uint64_t address, uint64_t bytes);
// How many there were, and the offset of each in their order.
int cfsrtest_end_watch(void);
uint32_t cfsrtest_store(int index);

#endif
