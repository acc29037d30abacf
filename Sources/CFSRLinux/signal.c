#include "cfsrlinux.h"
#include "answer.h"
#include <pthread.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>

int cfsr_signal_descriptor(const int *signals, size_t count) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < count; i++)
    if (sigaddset(&set, signals[i]) < 0) return -errno;
  int r = pthread_sigmask(SIG_BLOCK, &set, NULL);
  if (r) return -r;
  ANSWER(signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

int cfsr_signal_mask(const int *signals, size_t count, int blocked) {
  sigset_t set;
  sigemptyset(&set);
  for (size_t i = 0; i < count; i++)
    if (sigaddset(&set, signals[i]) < 0) return -errno;
  return -pthread_sigmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

int cfsr_signal_ignore(int number) {
  struct sigaction ignore = {.sa_handler = SIG_IGN};
  ANSWER(sigaction(number, &ignore, NULL));
}

int cfsr_signal_is_ignored(int number) {
  struct sigaction now;
  return sigaction(number, NULL, &now) < 0 ? -errno : now.sa_handler == SIG_IGN;
}

int cfsr_event_descriptor(void) { ANSWER(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)); }
