#include "cfsrlinux.h"
#include "answer.h"
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

// An array's length cannot be a constant of C.
enum { DESCRIPTORS_LIMIT = 253 };

int cfsr_socket(int nonblocking) {
  ANSWER(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0), 0));
}

int cfsr_socket_pair(int *a, int *b) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) return -errno;
  *a = pair[0];
  *b = pair[1];
  return 0;
}

int cfsr_change_mode(int fd, unsigned mode) { ANSWER(fchmod(fd, mode)); }

static int address_of(const char *path, struct sockaddr_un *address) {
  size_t length = strlen(path);
  if (length >= sizeof address->sun_path) return -ENAMETOOLONG;
  *address = (struct sockaddr_un){.sun_family = AF_UNIX};
  memcpy(address->sun_path, path, length);
  return 0;
}

int cfsr_bind(int fd, const char *path) {
  struct sockaddr_un address;
  int r = address_of(path, &address);
  if (r < 0) return r;
  ANSWER(bind(fd, (struct sockaddr *)&address, sizeof address));
}

int cfsr_connect(int fd, const char *path) {
  struct sockaddr_un address;
  int r = address_of(path, &address);
  if (r < 0) return r;
  ANSWER_AGAIN(connect(fd, (struct sockaddr *)&address, sizeof address));
}

int cfsr_send_datagram(const char *name, const void *bytes, size_t count, uint64_t timeout_ns) {
  struct sockaddr_un address;
  int r = address_of(name, &address);
  if (r < 0) return r;
  if (name[0] == '@') address.sun_path[0] = 0;
  // An abstract name ends where the address does, not at a zero.
  socklen_t length = offsetof(struct sockaddr_un, sun_path) + strlen(name) + (name[0] != '@');
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  // A timeout of zero would mean "without end".
  struct timeval limit = {.tv_sec = timeout_ns / 1000000000, .tv_usec = timeout_ns / 1000 % 1000000 + 1};
  setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
  ssize_t sent = sendto(fd, bytes, count, MSG_NOSIGNAL, (struct sockaddr *)&address, length);
  r = sent < 0 ? -errno : 0;
  close(fd);
  return r;
}

int cfsr_listen(int fd, int backlog) { ANSWER(listen(fd, backlog)); }
int cfsr_accept(int fd) { ANSWER_AGAIN(accept4(fd, NULL, NULL, SOCK_CLOEXEC)); }

int cfsr_peer(int fd, struct cfsr_credentials *peer) {
  struct ucred c;
  socklen_t length = sizeof c;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &c, &length) < 0) return -errno;
  *peer = (struct cfsr_credentials){c.pid, c.uid, c.gid, 1};
  return 0;
}

int cfsr_is_listener(int fd) {
  int domain = 0, type = 0, listens = 0;
  socklen_t length = sizeof listens;
  if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) < 0) return -errno;
  if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &length) < 0) return -errno;
  if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &length) < 0) return -errno;
  return domain == AF_UNIX && type == SOCK_SEQPACKET && listens != 0;
}

int cfsr_pass_credentials(int fd) {
  int on = 1;
  ANSWER(setsockopt(fd, SOL_SOCKET, SO_PASSCRED, &on, sizeof on));
}

int cfsr_send_timeout(int fd, uint64_t timeout_ns) {
  struct timeval t = {(time_t)(timeout_ns / 1000000000u), (suseconds_t)(timeout_ns % 1000000000u / 1000u)};
  ANSWER(setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &t, sizeof t));
}

int cfsr_shutdown(int fd) { ANSWER(shutdown(fd, SHUT_RDWR)); }

int64_t cfsr_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(int) * DESCRIPTORS_LIMIT)];
  } control;
  struct iovec part = {(void *)bytes, length};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
  if (count > DESCRIPTORS_LIMIT) return -EINVAL;
  if (count > 0) {
    memset(&control, 0, sizeof control);
    message.msg_control = &control;
    message.msg_controllen = CMSG_SPACE(sizeof(int) * count);
    struct cmsghdr *c = CMSG_FIRSTHDR(&message);
    c->cmsg_level = SOL_SOCKET;
    c->cmsg_type = SCM_RIGHTS;
    c->cmsg_len = CMSG_LEN(sizeof(int) * count);
    memcpy(CMSG_DATA(c), descriptors, sizeof(int) * count);
  }
  ANSWER_AGAIN(sendmsg(fd, &message, MSG_NOSIGNAL));
}

// The buffer always has room for the most that one message can carry, so that padding never decides how many
// arrive; who calls compares the count with what it wanted and closes what is too much.
int64_t cfsr_receive(int fd, void *bytes, size_t length, int nonblocking, int *descriptors,
                     struct cfsr_received *received) {
  union {
    struct cmsghdr header;
    char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * DESCRIPTORS_LIMIT)];
  } control;
  struct iovec part = {bytes, length};
  struct msghdr message = {
    .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  received->count = received->truncated = received->withheld = received->sender.present = 0;
  ssize_t r;
  do r = recvmsg(fd, &message, MSG_CMSG_CLOEXEC | (nonblocking ? MSG_DONTWAIT : 0));
  while (r < 0 && errno == EINTR);
  if (r < 0) return -errno;
  received->truncated = (message.msg_flags & MSG_TRUNC) != 0;
  received->withheld = (message.msg_flags & MSG_CTRUNC) != 0;
  for (struct cmsghdr *c = CMSG_FIRSTHDR(&message); c; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET) continue;
    if (c->cmsg_type == SCM_RIGHTS) {
      size_t count = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
      size_t room = (size_t)(CFSR_DESCRIPTORS_ROOM - received->count);
      if (count > room) count = room;
      memcpy(descriptors + received->count, CMSG_DATA(c), count * sizeof(int));
      received->count += (int)count;
    } else if (c->cmsg_type == SCM_CREDENTIALS) {
      struct ucred u;
      memcpy(&u, CMSG_DATA(c), sizeof u);
      received->sender = (struct cfsr_credentials){u.pid, u.uid, u.gid, 1};
    }
  }
  return r;
}

_Static_assert(sizeof(struct cfsr_poll) == sizeof(struct pollfd), "");
_Static_assert(__builtin_offsetof(struct cfsr_poll, revents) == __builtin_offsetof(struct pollfd, revents), "");

int cfsr_poll(struct cfsr_poll *polls, size_t count, uint64_t timeout_ns, int has_timeout) {
  struct timespec t = {(time_t)(timeout_ns / 1000000000u), (long)(timeout_ns % 1000000000u)};
  ANSWER(ppoll((struct pollfd *)polls, count, has_timeout ? &t : NULL, NULL));
}
