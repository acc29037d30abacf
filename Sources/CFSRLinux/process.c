#include "cfsrlinux.h"
#include "answer.h"
#include <fcntl.h>
#include <linux/kcmp.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int cfsr_process_open(int pid) { ANSWER(syscall(SYS_pidfd_open, pid, 0)); }
int cfsr_process_signal(int fd, int number) { ANSWER(syscall(SYS_pidfd_send_signal, fd, number, NULL, 0)); }
int cfsr_process_group_kill(int leader) { ANSWER(kill(-leader, SIGKILL)); }
int cfsr_is_same_opening(int fd, int pid, int theirs) {
  long r = syscall(SYS_kcmp, getpid(), pid, KCMP_FILE, (unsigned long)fd, (unsigned long)theirs);
  return r < 0 ? -errno : r == 0;
}

int cfsr_process_copy_descriptor(int fd, int number) { ANSWER(syscall(SYS_pidfd_getfd, fd, number, 0)); }

int cfsr_process_reap(int fd, struct cfsr_exit *answer) {
  siginfo_t s = {0};
  if (waitid((idtype_t)3 /* P_PIDFD */, (id_t)fd, &s, WEXITED | WNOHANG) < 0) return -errno;
  *answer = (struct cfsr_exit){s.si_pid, s.si_code, s.si_status};
  return 0;
}

static int file_actions(posix_spawn_file_actions_t *actions, const int *sources, const int *targets, size_t count,
                        const int *closes, size_t close_count, int close_from) {
  int r = 0;
  for (size_t i = 0; i < count && r == 0; i++) r = posix_spawn_file_actions_adddup2(actions, sources[i], targets[i]);
  for (size_t i = 0; i < close_count && r == 0; i++) r = posix_spawn_file_actions_addclose(actions, closes[i]);
  return r ? r : posix_spawn_file_actions_addclosefrom_np(actions, close_from);
}

static int attributes(posix_spawnattr_t *attributes, int new_session) {
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  int r = posix_spawnattr_setsigmask(attributes, &none);
  if (r == 0) r = posix_spawnattr_setsigdefault(attributes, &all);
  short flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (new_session ? POSIX_SPAWN_SETSID : 0);
  return r ? r : posix_spawnattr_setflags(attributes, flags);
}

int cfsr_spawn(const char *path, char *const arguments[], char *const environment[], const int *sources,
               const int *targets, size_t count, const int *closes, size_t close_count, int close_from,
               int new_session, int *pid) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t how;
  int r = posix_spawn_file_actions_init(&files);
  if (r) return -r;
  r = posix_spawnattr_init(&how);
  if (r) {
    posix_spawn_file_actions_destroy(&files);
    return -r;
  }
  r = file_actions(&files, sources, targets, count, closes, close_count, close_from);
  if (r == 0 && new_session) r = posix_spawn_file_actions_addchdir_np(&files, "/");
  if (r == 0) r = attributes(&how, new_session);
  if (r == 0) r = posix_spawn(pid, path, &files, &how, arguments, environment);
  posix_spawnattr_destroy(&how);
  posix_spawn_file_actions_destroy(&files);
  return -r;
}
