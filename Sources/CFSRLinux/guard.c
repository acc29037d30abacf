#include "cfsrlinux.h"
#include "answer.h"
#include <signal.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>

// Mapped files that somebody else may cut short. An access behind such a file's end is a SIGBUS; here the page becomes
// one of zeros of this process's own, and the access is made again. Everything that the handler reads is lock-free,
// and mmap is a plain system call.
enum { PAGE = 4096 };
struct range { _Atomic uintptr_t start, end; };
static struct range ranges[CFSR_GUARD_LIMIT];
// In place of a start: being filled in.
static const uintptr_t TAKEN = 1;
static struct sigaction before;
static atomic_int installed;

static int is_guarded(uintptr_t address) {
  for (int i = 0; i < CFSR_GUARD_LIMIT; i++) {
    uintptr_t start = atomic_load(&ranges[i].start);
    if (start > TAKEN && address >= start && address < atomic_load(&ranges[i].end)) return 1;
  }
  return 0;
}

static void replace_page(int number, siginfo_t *info, void *context) {
  (void)context;
  int saved = errno;
  uintptr_t address = (uintptr_t)info->si_addr;
  void *page = (void *)(address & ~(uintptr_t)(PAGE - 1));
  int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED;
  if (info->si_code != BUS_ADRERR || !is_guarded(address) ||
      mmap(page, PAGE, PROT_READ | PROT_WRITE, flags, -1, 0) == MAP_FAILED)
    // None of ours: the same access comes again, to whoever was asked before.
    sigaction(number, &before, NULL);
  errno = saved;
}

static int install(void) {
  static atomic_flag busy = ATOMIC_FLAG_INIT;
  while (!atomic_load(&installed)) {
    if (atomic_flag_test_and_set(&busy)) continue;
    struct sigaction ours;
    memset(&ours, 0, sizeof ours);
    ours.sa_sigaction = replace_page;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
    int answer = sigaction(SIGBUS, &ours, &before) < 0 ? -errno : 0;
    if (!answer) atomic_store(&installed, 1);
    atomic_flag_clear(&busy);
    if (answer) return answer;
  }
  return 0;
}

int cfsr_guard(const void *address, size_t length) {
  int answer = install();
  if (answer < 0) return answer;
  for (int i = 0; i < CFSR_GUARD_LIMIT; i++) {
    uintptr_t none = 0;
    if (!atomic_compare_exchange_strong(&ranges[i].start, &none, TAKEN)) continue;
    atomic_store(&ranges[i].end, (uintptr_t)address + length);
    atomic_store(&ranges[i].start, (uintptr_t)address);
    return i;
  }
  return -ENOSPC;
}

void cfsr_unguard(int place) { atomic_store(&ranges[place].start, 0); }
