// The kernel's edge: calls that are variadic, GNU-only or built from macros, which Swift's Glibc module lacks.
// Every function answers >= 0, or -errno read before anything else can run. No logic lives here.
#ifndef CFSRLINUX_H
#define CFSRLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// memory
int cfsr_memfd_create(const char *name, unsigned flags);
int cfsr_add_seals(int fd, int seals);
int cfsr_get_seals(int fd);
int cfsr_map(int fd, uint64_t offset, size_t length, int writable, int populate, void **address);
int cfsr_unmap(void *address, size_t length);
int cfsr_advise(void *address, size_t length, int advice);
int cfsr_lock_memory(void *address, size_t length);
int cfsr_allocate(int fd, uint64_t offset, uint64_t length);
int cfsr_truncate(int fd, uint64_t length);

static const unsigned CFSR_MFD_CLOEXEC = 1, CFSR_MFD_ALLOW_SEALING = 2, CFSR_MFD_HUGETLB = 4;
static const int CFSR_SEAL_SEAL = 1, CFSR_SEAL_SHRINK = 2, CFSR_SEAL_GROW = 4, CFSR_SEAL_WRITE = 8;
static const int CFSR_DONTDUMP = 16, CFSR_POPULATE_READ = 22, CFSR_POPULATE_WRITE = 23;

// descriptors
int cfsr_close(int fd);
int cfsr_duplicate(int fd, int lowest);
int64_t cfsr_read(int fd, void *bytes, size_t length);
int64_t cfsr_write(int fd, const void *bytes, size_t length);

// time
uint64_t cfsr_monotonic_ns(void);

// futexes shared between processes
int cfsr_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns, int has_timeout);
int cfsr_futex_wake(const uint32_t *word, int count);

#endif
