#include "cfsrlinux.h"
#include "answer.h"
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

int cfsr_open(int directory, const char *path, int flags, unsigned mode) {
  ANSWER_AGAIN(openat(directory, path, flags, mode));
}

static int answer_status(int r, const struct stat *s, struct cfsr_status *status) {
  if (r < 0) return -errno;
  *status = (struct cfsr_status){s->st_dev, s->st_ino, (uint64_t)s->st_size, s->st_nlink, s->st_uid, s->st_mode};
  return 0;
}

int cfsr_status(int fd, struct cfsr_status *status) {
  struct stat s;
  return answer_status(fstat(fd, &s), &s, status);
}

int cfsr_status_at(int directory, const char *name, struct cfsr_status *status) {
  struct stat s;
  return answer_status(fstatat(directory, name, &s, AT_SYMLINK_NOFOLLOW), &s, status);
}

int cfsr_number_identity(int directory, int number, uint64_t *device, uint64_t *inode) {
  char name[16];
  snprintf(name, sizeof name, "%d", number);
  struct statx s;
  if (statx(directory, name, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_INO, &s) < 0) return -errno;
  *device = makedev(s.stx_dev_major, s.stx_dev_minor);
  *inode = s.stx_ino;
  return 0;
}

int64_t cfsr_filesystem_type(int fd) {
  struct statfs s;
  return fstatfs(fd, &s) < 0 ? -errno : (int64_t)(uint32_t)s.f_type;
}

int64_t cfsr_entries(int fd, void *bytes, size_t length) { ANSWER_WIDE(syscall(SYS_getdents64, fd, bytes, length)); }
int cfsr_make_directory(int directory, const char *name, unsigned mode) { ANSWER(mkdirat(directory, name, mode)); }
int cfsr_unlink(int directory, const char *name, int flags) { ANSWER(unlinkat(directory, name, flags)); }
int cfsr_symlink(int directory, const char *name, const char *target) { ANSWER(symlinkat(target, directory, name)); }

int cfsr_rename(int directory, const char *from, const char *to, unsigned flags) {
  ANSWER(renameat2(directory, from, directory, to, flags));
}

int64_t cfsr_read_link(int directory, const char *name, void *bytes, size_t length) {
  ANSWER_WIDE(readlinkat(directory, name, bytes, length));
}

int cfsr_sync(int fd) { ANSWER_AGAIN(fsync(fd)); }

int64_t cfsr_copy_range(int from, int to, uint64_t offset, size_t length) {
  off_t in = (off_t)offset, out = (off_t)offset;
  ANSWER_AGAIN(copy_file_range(from, &in, to, &out, length, 0));
}

int64_t cfsr_read_at(int fd, void *bytes, size_t length, uint64_t offset) {
  ANSWER_AGAIN(pread(fd, bytes, length, (off_t)offset));
}

int64_t cfsr_write_at(int fd, const void *bytes, size_t length, uint64_t offset) {
  ANSWER_AGAIN(pwrite(fd, bytes, length, (off_t)offset));
}

// The lock belongs to the open file description, not to the process.
int cfsr_lock_file(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  ANSWER_AGAIN(fcntl(fd, F_OFD_SETLK, &whole));
}

int cfsr_file_is_locked(int fd) {
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int r = fcntl(fd, F_OFD_GETLK, &whole);
  return r < 0 ? -errno : whole.l_type != F_UNLCK;
}

int cfsr_unlock_file(int fd) {
  struct flock whole = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
  ANSWER_AGAIN(fcntl(fd, F_OFD_SETLK, &whole));
}

static struct flock byte_lock(uint64_t offset, int kind) {
  short types[] = {F_UNLCK, F_RDLCK, F_WRLCK};
  return (struct flock){.l_type = types[kind], .l_whence = SEEK_SET, .l_start = (off_t)offset, .l_len = 1};
}

int cfsr_lock_byte(int fd, uint64_t offset, int kind) {
  struct flock one = byte_lock(offset, kind);
  ANSWER_AGAIN(fcntl(fd, F_OFD_SETLK, &one));
}

int cfsr_share_flock(int fd) { ANSWER_AGAIN(flock(fd, LOCK_SH | LOCK_NB)); }
int cfsr_flock_alone(int fd) { ANSWER_AGAIN(flock(fd, LOCK_EX | LOCK_NB)); }

int cfsr_byte_is_locked(int fd, uint64_t offset, int *holder) {
  struct flock one = byte_lock(offset, CFSR_EXCLUSIVE);
  if (fcntl(fd, F_OFD_GETLK, &one) < 0) return -errno;
  *holder = one.l_pid;
  return one.l_type != F_UNLCK;
}

int cfsr_open_reference(const char *path) {
  ANSWER_AGAIN(open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC));
}

int cfsr_set_direct(int fd, int direct) {
  int flags = fcntl(fd, F_GETFL);
  if (flags < 0) return -errno;
  ANSWER(fcntl(fd, F_SETFL, direct ? flags | O_DIRECT : flags & ~O_DIRECT));
}

int cfsr_fallocate(int fd, int mode, uint64_t offset, uint64_t length) {
  ANSWER_AGAIN(fallocate(fd, mode, (off_t)offset, (off_t)length));
}

uint64_t cfsr_file_size_limit(void) {
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY) return UINT64_MAX;
  return limit.rlim_cur;
}
