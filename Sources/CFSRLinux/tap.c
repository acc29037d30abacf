#include "cfsrlinux.h"
#include "answer.h"
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_tun.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int request_for(const char *name, struct ifreq *request) {
  memset(request, 0, sizeof *request);
  if (strlen(name) >= sizeof request->ifr_name) return -ENAMETOOLONG;
  strcpy(request->ifr_name, name);
  return 0;
}

int cfsr_tap_open(void) { ANSWER(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK)); }

int cfsr_tap_attach(int fd, const char *name, int flags) {
  struct ifreq request;
  int r = request_for(name, &request);
  if (r < 0) return r;
  request.ifr_flags = (short)flags;
  ANSWER(ioctl(fd, TUNSETIFF, &request));
}

int cfsr_tap_identity(int fd, char name[CFSR_INTERFACE_NAME_ROOM], int *flags) {
  struct ifreq request;
  memset(&request, 0, sizeof request);
  if (ioctl(fd, TUNGETIFF, &request) < 0) return -errno;
  memcpy(name, request.ifr_name, CFSR_INTERFACE_NAME_ROOM);
  name[CFSR_INTERFACE_NAME_ROOM - 1] = 0;
  *flags = (unsigned short)request.ifr_flags;
  return 0;
}

int cfsr_tap_header_size(int fd) {
  int size = 0;
  return ioctl(fd, TUNGETVNETHDRSZ, &size) < 0 ? -errno : size;
}

int cfsr_tap_set_header_size(int fd, int size) { ANSWER(ioctl(fd, TUNSETVNETHDRSZ, &size)); }
int cfsr_tap_set_offloads(int fd, unsigned offloads) { ANSWER(ioctl(fd, TUNSETOFFLOAD, (unsigned long)offloads)); }

int cfsr_tap_accept_only(int fd, const uint8_t address[6]) {
  // A header with a list of addresses behind it, here of one.
  const struct tun_filter filter = {.flags = TUN_FLT_ALLMULTI, .count = 1};
  uint8_t wanted[sizeof filter + 6];
  memcpy(wanted, &filter, sizeof filter);
  memcpy(wanted + sizeof filter, address, 6);
  ANSWER(ioctl(fd, TUNSETTXFILTER, wanted));
}

int cfsr_tap_accept_all(int fd) {
  const struct tun_filter none = {.flags = 0, .count = 0};
  ANSWER(ioctl(fd, TUNSETTXFILTER, &none));
}

static int on_interface(const char *name, unsigned long number, int *mtu) {
  struct ifreq request;
  int r = request_for(name, &request);
  if (r < 0) return r;
  request.ifr_mtu = *mtu;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  r = ioctl(fd, number, &request) < 0 ? -errno : 0;
  close(fd);
  *mtu = request.ifr_mtu;
  return r;
}

int cfsr_interface_mtu(const char *name) {
  int mtu = 0, r = on_interface(name, SIOCGIFMTU, &mtu);
  return r < 0 ? r : mtu;
}

int cfsr_interface_set_mtu(const char *name, int mtu) { return on_interface(name, SIOCSIFMTU, &mtu); }

enum { FEATURE_LIMIT = 256 };
// Each of the kernel's structures ends with as many as there are: here is room for them.
union feature_count {
  struct ethtool_sset_info header;
  char room[sizeof(struct ethtool_sset_info) + sizeof(uint32_t)];
};
union feature_names {
  struct ethtool_gstrings header;
  char room[sizeof(struct ethtool_gstrings) + FEATURE_LIMIT * ETH_GSTRING_LEN];
};
union feature_states {
  struct ethtool_gfeatures header;
  char room[sizeof(struct ethtool_gfeatures) + FEATURE_LIMIT / 32 * sizeof(struct ethtool_get_features_block)];
};

static int ask_features(int fd, struct ifreq *request, union feature_names *names, union feature_states *states) {
  union feature_count answer = {.room = {0}};
  answer.header.cmd = ETHTOOL_GSSET_INFO;
  answer.header.sset_mask = 1ull << ETH_SS_FEATURES;
  request->ifr_data = (char *)&answer;
  if (ioctl(fd, SIOCETHTOOL, request) < 0) return -errno;
  uint32_t count = answer.header.data[0];
  if (count > FEATURE_LIMIT) return -E2BIG;
  names->header = (struct ethtool_gstrings){.cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_FEATURES, .len = count};
  request->ifr_data = (char *)names;
  if (ioctl(fd, SIOCETHTOOL, request) < 0) return -errno;
  states->header = (struct ethtool_gfeatures){.cmd = ETHTOOL_GFEATURES, .size = (count + 31) / 32};
  request->ifr_data = (char *)states;
  return ioctl(fd, SIOCETHTOOL, request) < 0 ? -errno : (int)count;
}

int cfsr_interface_features(const char *name, char *const wanted[], size_t count, unsigned *on) {
  struct ifreq request;
  int r = request_for(name, &request);
  if (r < 0) return r;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return -errno;
  union feature_names names;
  union feature_states states;
  memset(&states, 0, sizeof states);
  r = ask_features(fd, &request, &names, &states);
  close(fd);
  *on = 0;
  for (int bit = 0; bit < r; bit++)
    for (size_t i = 0; i < count; i++)
      if (strncmp((const char *)names.header.data + bit * ETH_GSTRING_LEN, wanted[i], ETH_GSTRING_LEN) == 0 &&
          states.header.features[bit / 32].active >> bit % 32 & 1)
        *on |= 1u << i;
  return r < 0 ? r : 0;
}

static const struct rtattr *find(const struct rtattr *attribute, long length, int type) {
  for (; RTA_OK(attribute, length); attribute = RTA_NEXT(attribute, length))
    if ((attribute->rta_type & NLA_TYPE_MASK) == type) return attribute;
  return NULL;
}

static int queues_of(const struct rtattr *data, int type) {
  const struct rtattr *count = data ? find(RTA_DATA(data), RTA_PAYLOAD(data), type) : NULL;
  return count && RTA_PAYLOAD(count) >= 4 ? *(const int *)RTA_DATA(count) : 0;
}

int cfsr_tap_queue_count(const char *name) {
  struct {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } request = {.header = {.nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST},
               .link = {.ifi_family = AF_UNSPEC, .ifi_index = (int)if_nametoindex(name)}};
  if (request.link.ifi_index == 0) return -errno;
  int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd < 0) return -errno;
  union {
    struct nlmsghdr header;
    char bytes[16384];
  } answer;
  ssize_t length = send(fd, &request, sizeof request, 0) < 0 ? -1 : recv(fd, &answer, sizeof answer, 0);
  int failure = errno;
  close(fd);
  if (length < 0) return -failure;
  if (!NLMSG_OK(&answer.header, (size_t)length) || answer.header.nlmsg_type != RTM_NEWLINK) return -EPROTO;
  const struct ifinfomsg *link = NLMSG_DATA(&answer.header);
  const struct rtattr *info = find(IFLA_RTA(link), IFLA_PAYLOAD(&answer.header), IFLA_LINKINFO);
  const struct rtattr *data = info ? find(RTA_DATA(info), RTA_PAYLOAD(info), IFLA_INFO_DATA) : NULL;
  return queues_of(data, IFLA_TUN_NUM_QUEUES) + queues_of(data, IFLA_TUN_NUM_DISABLED_QUEUES);
}
