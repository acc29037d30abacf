#include "cfsrtestlinux.h"
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int cfsrtest_new_network(void) { return unshare(CLONE_NEWNET) < 0 ? -errno : 0; }

int cfsrtest_interface_up(const char *name) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  int r = ioctl(fd, SIOCGIFFLAGS, &request);
  request.ifr_flags |= IFF_UP;
  if (r >= 0) r = ioctl(fd, SIOCSIFFLAGS, &request);
  r = r < 0 ? -errno : 0;
  close(fd);
  return r;
}

int cfsrtest_remove_interface(const char *name) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } request = {
      .header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_DELLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK},
      .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)}};
  struct {
    struct nlmsghdr header;
    struct nlmsgerr error;
    char rest[256];
  } answer;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  int r = send(fd, &request, sizeof request, 0) < 0 || recv(fd, &answer, sizeof answer, 0) < 0 ? -errno : 0;
  close(fd);
  return r < 0 ? r : answer.error.error;
}

int cfsrtest_packet_socket(const char *name) {
  unsigned index = if_nametoindex(name);
  if (index == 0) return -errno;
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
  int r = bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ? -errno : fd;
  if (r < 0) close(fd);
  return r;
}

int cfsrtest_tap_persist(int fd, int persists) { return ioctl(fd, TUNSETPERSIST, (unsigned long)persists) < 0 ? -errno : 0; }
