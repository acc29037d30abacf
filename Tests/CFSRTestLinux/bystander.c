#include "cfsrtestlinux.h"
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

int cfsrtest_lock_file(const char *path) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int fd = open(path, O_RDWR | O_CLOEXEC);
  return fd < 0 || fcntl(fd, F_SETLK, &whole) < 0 ? -errno : fd;
}

int cfsrtest_become(unsigned user) {
  return setgroups(0, NULL) < 0 || setresgid(user, user, user) < 0 || setresuid(user, user, user) < 0 ? -errno : 0;
}

int cfsrtest_execute(char *const arguments[]) {
  execv(arguments[0], arguments);
  return -errno;
}

int cfsrtest_adopt(char *const arguments[]) {
  if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0) return -errno;
  pid_t child = fork();
  if (child < 0) return -errno;
  if (child == 0) {
    execv(arguments[0], arguments);
    _exit(127);
  }
  int status = 0, last = 0;
  for (;;) {
    if (wait(&status) < 0) {
      if (errno == EINTR) continue;
      return errno == ECHILD ? last : -errno;
    }
    last = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
}

int cfsrtest_small_disk(const char *size, int is_read_only) {
  int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
  if (context < 0) return -errno;
  int r = fsconfig(context, FSCONFIG_SET_STRING, "size", size, 0);
  if (r >= 0) r = fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0);
  if (r >= 0) r = fsmount(context, FSMOUNT_CLOEXEC, is_read_only ? MOUNT_ATTR_RDONLY : 0);
  r = r < 0 ? -errno : r;
  close(context);
  return r;
}
