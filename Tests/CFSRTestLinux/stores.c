#include "cfsrtestlinux.h"
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

// The watched pages cannot be written. Who stores there faults, which is noted; the store is then let through by itself,
// in a single step of the processor, and the pages are closed again.

#ifdef __x86_64__

enum { ROOM = 65536, SINGLE_STEP = 0x100 };

static char *start;
static size_t length;
static uint32_t offsets[ROOM];
static int count;
static struct sigaction old_fault, old_step;

static void fault(int number, siginfo_t *info, void *context) {
  char *place = info->si_addr;
  if (place < start || place >= start + length) {
    // Not one of ours: it comes again, and is dealt with as before.
    sigaction(SIGSEGV, &old_fault, NULL);
    return;
  }
  if (count < ROOM) offsets[count++] = (uint32_t)(place - start);
  mprotect(start, length, PROT_READ | PROT_WRITE);
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] |= SINGLE_STEP;
}

static void step(int number, siginfo_t *info, void *context) {
  ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~SINGLE_STEP;
  mprotect(start, length, PROT_READ);
}

int cfsrtest_watch_stores(uint64_t address, uint64_t bytes) {
  start = (char *)address;
  length = bytes;
  count = 0;
  struct sigaction action = {.sa_sigaction = fault, .sa_flags = SA_SIGINFO};
  if (sigaction(SIGSEGV, &action, &old_fault) < 0) return -errno;
  action.sa_sigaction = step;
  if (sigaction(SIGTRAP, &action, &old_step) < 0) return -errno;
  return mprotect(start, length, PROT_READ) < 0 ? -errno : 0;
}

int cfsrtest_end_watch(void) {
  mprotect(start, length, PROT_READ | PROT_WRITE);
  sigaction(SIGSEGV, &old_fault, NULL);
  sigaction(SIGTRAP, &old_step, NULL);
  return count;
}

uint32_t cfsrtest_store(int index) { return offsets[index]; }

#else

int cfsrtest_watch_stores(uint64_t address, uint64_t bytes) { return -ENOSYS; }
int cfsrtest_end_watch(void) { return 0; }
uint32_t cfsrtest_store(int index) { return 0; }

#endif
