#include "cfsrlinux.h"
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint64_t cfsr_monotonic_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

// Without FUTEX_PRIVATE_FLAG: the words live in memory that two processes share.
int cfsr_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns, int has_timeout) {
  struct timespec t = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
  long r = syscall(SYS_futex, word, FUTEX_WAIT, expected, has_timeout ? &t : NULL, NULL, 0);
  return r < 0 ? -errno : (int)r;
}

int cfsr_futex_wake(const uint32_t *word, int count) {
  long r = syscall(SYS_futex, word, FUTEX_WAKE, count, NULL, NULL, 0);
  return r < 0 ? -errno : (int)r;
}
