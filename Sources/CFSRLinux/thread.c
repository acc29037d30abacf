#include "cfsrlinux.h"
#include "answer.h"
#include <sched.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

int cfsr_thread_id(void) { return (int)syscall(SYS_gettid); }
int cfsr_thread_name(const char *name) { ANSWER(prctl(PR_SET_NAME, name)); }
int cfsr_thread_signal(int thread, int number) { ANSWER(syscall(SYS_tgkill, getpid(), thread, number)); }

// The system call itself, which answers how many bytes it filled; the library's wrapper clears the rest of a
// fixed-size set instead.
int cfsr_affinity(int thread, uint64_t *words, size_t count) {
  ANSWER(syscall(SYS_sched_getaffinity, thread, count * sizeof *words, words));
}

int cfsr_set_affinity(int thread, const uint64_t *words, size_t count) {
  ANSWER(syscall(SYS_sched_setaffinity, thread, count * sizeof *words, words));
}

int cfsr_current_cpu(void) { ANSWER(sched_getcpu()); }

int cfsr_policy(int thread, int *priority) {
  struct sched_param parameters;
  int policy = sched_getscheduler(thread);
  if (policy < 0 || sched_getparam(thread, &parameters) < 0) return -errno;
  *priority = parameters.sched_priority;
  return policy & ~SCHED_RESET_ON_FORK;
}

int cfsr_set_policy(int thread, int policy, int priority) {
  struct sched_param parameters = {.sched_priority = priority};
  ANSWER(sched_setscheduler(thread, policy, &parameters));
}

int cfsr_scheduling(int thread, struct cfsr_scheduling *answer) {
  ANSWER(syscall(SYS_sched_getattr, thread, answer, sizeof *answer, 0));
}

int cfsr_set_scheduling(int thread, const struct cfsr_scheduling *wish) {
  ANSWER(syscall(SYS_sched_setattr, thread, wish, 0));
}
