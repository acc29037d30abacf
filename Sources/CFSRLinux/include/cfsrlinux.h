// The kernel's edge: calls that are variadic, GNU-only or built from macros, which Swift's Glibc module lacks.
// Every function answers >= 0, or -errno read before anything else can run. No logic lives here.
#ifndef CFSRLINUX_H
#define CFSRLINUX_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

// memory
int cfsr_memfd_create(const char *name, unsigned flags);
int cfsr_add_seals(int fd, int seals);
int cfsr_get_seals(int fd);
int cfsr_map(int fd, uint64_t offset, size_t length, int writable, int populate, void **address);
int cfsr_unmap(void *address, size_t length);
int cfsr_advise(void *address, size_t length, int advice);
int cfsr_lock_memory(void *address, size_t length);
int cfsr_unlock_memory(void *address, size_t length);
// Lets an access behind the end of a file that is mapped there find zeros, instead of ending the process (SIGBUS).
// Answers a place for `cfsr_unguard`, which comes before the mapping goes.
enum { CFSR_GUARD_LIMIT = 1024 };
int cfsr_guard(const void *address, size_t length);
void cfsr_unguard(int place);
int cfsr_allocate(int fd, uint64_t offset, uint64_t length);
int cfsr_truncate(int fd, uint64_t length);

static const unsigned CFSR_MFD_CLOEXEC = 1, CFSR_MFD_ALLOW_SEALING = 2, CFSR_MFD_HUGETLB = 4;
// 2 MiB, as a power of two, where memfd_create looks for it.
static const unsigned CFSR_MFD_HUGE_2MB = 21u << 26;
static const int CFSR_SEAL_SEAL = 1, CFSR_SEAL_SHRINK = 2, CFSR_SEAL_GROW = 4, CFSR_SEAL_WRITE = 8;
static const int CFSR_DONTNEED = 4, CFSR_DONTDUMP = 16, CFSR_POPULATE_READ = 22, CFSR_POPULATE_WRITE = 23;

int cfsr_punch(int fd, uint64_t offset, uint64_t length);

// userfaultfd: pages that this process asks for while they are not mapped
enum { CFSR_FAULTS_AT_ONCE = 64 };
struct cfsr_fault { uint64_t address, flags; };
int cfsr_userfault_open(int user_mode_only);
int cfsr_userfault_open_device(int device);
int cfsr_userfault_api(int fd, uint64_t features);
int cfsr_userfault_register(int fd, const void *start, uint64_t length);
int cfsr_userfault_unregister(int fd, const void *start, uint64_t length);
int cfsr_userfault_continue(int fd, const void *start, uint64_t length, int64_t *mapped);
int cfsr_userfault_zero(int fd, const void *start, uint64_t length);
int cfsr_userfault_copy(int fd, const void *start, const void *source, uint64_t length);
int cfsr_userfault_wake(int fd, const void *start, uint64_t length);
int cfsr_userfault_read(int fd, struct cfsr_fault *faults, int limit);

static const uint64_t CFSR_FAULT_WRITE = 1, CFSR_FAULT_MINOR = 4;
static const uint64_t CFSR_FEATURE_MISSING_SHMEM = 1 << 5, CFSR_FEATURE_MINOR_SHMEM = 1 << 10;

// descriptors
int cfsr_close(int fd);
int cfsr_duplicate(int fd, int lowest);
int64_t cfsr_read(int fd, void *bytes, size_t length);
int64_t cfsr_write(int fd, const void *bytes, size_t length);

// files and directories
struct cfsr_status { uint64_t device, inode, size, links; uint32_t uid, mode; };
int cfsr_open(int directory, const char *path, int flags, unsigned mode);
int cfsr_status(int fd, struct cfsr_status *status);
int cfsr_status_at(int directory, const char *name, struct cfsr_status *status);
// Which file an entry leads to whose name is a number, links followed; asks no server for it.
int cfsr_number_identity(int directory, int number, uint64_t *device, uint64_t *inode);
int64_t cfsr_filesystem_type(int fd);
int64_t cfsr_entries(int fd, void *bytes, size_t length);
int cfsr_make_directory(int directory, const char *name, unsigned mode);
int cfsr_unlink(int directory, const char *name, int flags);
int cfsr_rename(int directory, const char *from, const char *to, unsigned flags);
int cfsr_symlink(int directory, const char *name, const char *target);
int64_t cfsr_read_link(int directory, const char *name, void *bytes, size_t length);
int cfsr_sync(int fd);
// Both offsets are the same.
int64_t cfsr_copy_range(int from, int to, uint64_t offset, size_t length);
int64_t cfsr_read_at(int fd, void *bytes, size_t length, uint64_t offset);
int64_t cfsr_write_at(int fd, const void *bytes, size_t length, uint64_t offset);
int cfsr_lock_file(int fd);
int cfsr_unlock_file(int fd);
int cfsr_file_is_locked(int fd);
enum cfsr_lock { CFSR_UNLOCKED, CFSR_SHARED, CFSR_EXCLUSIVE };
// One byte's lock of the open file description.
int cfsr_lock_byte(int fd, uint64_t offset, int kind);
// A shared flock(2) of the whole file or directory; never waits.
int cfsr_share_flock(int fd);
// The same, for this opening alone.
int cfsr_flock_alone(int fd);
// 1 where another open file description has the byte; the holder's pid, or -1 where locks do not tell.
int cfsr_byte_is_locked(int fd, uint64_t offset, int *holder);
// An O_PATH descriptor of the last component itself, a symbolic link included.
int cfsr_open_reference(const char *path);
int cfsr_set_direct(int fd, int direct);
// fallocate(2) itself: no emulation by writing where a file system has none.
int cfsr_fallocate(int fd, int mode, uint64_t offset, uint64_t length);
uint64_t cfsr_file_size_limit(void);

static const int CFSR_PUNCH_HOLE = 0x02 | 0x01;
static const int CFSR_WORKING_DIRECTORY = -100, CFSR_REMOVE_DIRECTORY = 0x200;
static const unsigned CFSR_RENAME_NOREPLACE = 1;
static const int64_t CFSR_TMPFS = 0x01021994;

// sockets
static const int CFSR_DESCRIPTORS_LIMIT = 253, CFSR_DESCRIPTORS_ROOM = 254;
struct cfsr_credentials { int32_t pid; uint32_t uid, gid; int32_t present; };
// What came beside the bytes; the descriptors go to an array of CFSR_DESCRIPTORS_ROOM. Not all came: of the bytes where it
// is truncated, of the descriptors where some are withheld.
struct cfsr_received { int count, truncated, withheld; struct cfsr_credentials sender; };
int cfsr_socket(int nonblocking);
int cfsr_socket_pair(int *a, int *b);
// One datagram, without waiting, to a socket named by a path, or by an abstract name after '@'.
// Waits so long for room in the receiver's queue; -EAGAIN where there is none then, -EINTR for a signal.
int cfsr_send_datagram(const char *name, const void *bytes, size_t count, uint64_t timeout_ns);
int cfsr_change_mode(int fd, unsigned mode);
int cfsr_bind(int fd, const char *path);
int cfsr_connect(int fd, const char *path);
int cfsr_listen(int fd, int backlog);
int cfsr_accept(int fd);
int cfsr_is_listener(int fd);
int cfsr_peer(int fd, struct cfsr_credentials *peer);
int cfsr_pass_credentials(int fd);
int cfsr_send_timeout(int fd, uint64_t timeout_ns);
int cfsr_shutdown(int fd);
int64_t cfsr_send(int fd, const void *bytes, size_t length, const int *descriptors, size_t count);
int64_t cfsr_receive(int fd, void *bytes, size_t length, int nonblocking, int *descriptors,
                     struct cfsr_received *received);

// polling
struct cfsr_poll { int fd; short events, revents; };
int cfsr_poll(struct cfsr_poll *polls, size_t count, uint64_t timeout_ns, int has_timeout);

static const short CFSR_POLL_IN = 1, CFSR_POLL_OUT = 4, CFSR_POLL_INVALID = 0x20;

// processes
struct cfsr_exit { int32_t pid, code, status; };
int cfsr_process_open(int pid);
int cfsr_process_signal(int fd, int number);
int cfsr_process_group_kill(int leader);
int cfsr_process_copy_descriptor(int fd, int number);
// Whether `theirs` of the process is a duplicate of `fd` (kcmp).
int cfsr_is_same_opening(int fd, int pid, int theirs);
int cfsr_process_reap(int fd, struct cfsr_exit *answer);
int cfsr_spawn(const char *path, char *const arguments[], char *const environment[], const int *sources,
               const int *targets, size_t count, const int *closes, size_t close_count, int close_from,
               int new_session, int *pid);

// threads and scheduling
int cfsr_thread_id(void);
int cfsr_thread_name(const char *name);
int cfsr_thread_signal(int thread, int number);
int cfsr_affinity(int thread, uint64_t *words, size_t count);
int cfsr_set_affinity(int thread, const uint64_t *words, size_t count);
int cfsr_current_cpu(void);
int cfsr_policy(int thread, int *priority);
int cfsr_set_policy(int thread, int policy, int priority);
// The kernel's struct sched_attr, in its first size: all that there is of a policy.
struct cfsr_scheduling {
  uint32_t size, policy;
  uint64_t flags;
  int32_t nice;
  uint32_t priority;
  uint64_t runtime, deadline, period;
};
int cfsr_scheduling(int thread, struct cfsr_scheduling *answer);
int cfsr_set_scheduling(int thread, const struct cfsr_scheduling *wish);

static const int CFSR_SCHED_NORMAL = 0, CFSR_SCHED_FIFO = 1, CFSR_SCHED_RR = 2, CFSR_SCHED_BATCH = 3,
                 CFSR_SCHED_IDLE = 5, CFSR_SCHED_DEADLINE = 6;

// signals and events
int cfsr_signal_descriptor(const int *signals, size_t count);
int cfsr_signal_mask(const int *signals, size_t count, int blocked);
int cfsr_signal_ignore(int number);
int cfsr_signal_is_ignored(int number);
int cfsr_event_descriptor(void);

// tap devices (drivers/net/tun.c of the kernel): a descriptor is one queue of one
static const int CFSR_TAP = 2, CFSR_TAP_MULTI_QUEUE = 0x100, CFSR_TAP_NO_PI = 0x1000, CFSR_TAP_VNET_HEADER = 0x4000,
                 CFSR_TAP_PERSISTENT = 0x800;
static const unsigned CFSR_TAP_CHECKSUM = 1, CFSR_TAP_SEGMENT_4 = 2, CFSR_TAP_SEGMENT_6 = 4, CFSR_TAP_SEGMENT_ECN = 8,
                      CFSR_TAP_SEGMENT_UDP = 0x60;
enum { CFSR_INTERFACE_NAME_ROOM = 16 };
int cfsr_tap_open(void);
int cfsr_tap_attach(int fd, const char *name, int flags);
// Whether it was opened at /dev/net/tun, wherever that device is.
int cfsr_tap_identity(int fd, char name[CFSR_INTERFACE_NAME_ROOM], int *flags);
int cfsr_tap_header_size(int fd);
int cfsr_tap_set_header_size(int fd, int size);
int cfsr_tap_set_offloads(int fd, unsigned offloads);
// Frames to one address, to groups and to all; no others.
int cfsr_tap_accept_only(int fd, const uint8_t address[6]);
int cfsr_tap_accept_all(int fd);
// Attached ones, whoever has them.
int cfsr_tap_queue_count(const char *name);
int cfsr_interface_mtu(const char *name);
int cfsr_interface_set_mtu(const char *name, int mtu);
// Which of the features are on that ethtool(8) calls so: a bit for each of `names`.
int cfsr_interface_features(const char *name, char *const names[], size_t count, unsigned *on);

// this process
char *const *cfsr_environment(void);
// The path that was given to execve(2); null where the kernel does not say.
const char *cfsr_executed_file(void);
// For good, with the groups that the user database says; those of a user who is not in it are `group_of_none` alone.
int cfsr_become_user(unsigned uid, unsigned group_of_none);
int cfsr_cpu_count(void);
enum cfsr_limit_kind { CFSR_LIMIT_PROCESSES, CFSR_LIMIT_ADDRESS_SPACE, CFSR_LIMIT_STACK };
// 1 with the limit; 0 where there is none.
int cfsr_limit(enum cfsr_limit_kind kind, uint64_t *limit);
// As the kernel gave them to this process; nothing has to be read for it.
char *const *cfsr_arguments(int *count);

int64_t cfsr_allocated_blocks(int fd);
int64_t cfsr_seek_data(int fd, uint64_t offset);
int64_t cfsr_seek_hole(int fd, uint64_t offset);

// time
uint64_t cfsr_monotonic_ns(void);

// futexes shared between processes
int cfsr_futex_wait(const uint32_t *word, uint32_t expected, uint64_t timeout_ns, int has_timeout);
int cfsr_futex_wake(const uint32_t *word, int count);

#endif
