#include "cfsrlinux.h"
#include "answer.h"
#include <grp.h>
#include <pwd.h>
#include <unistd.h>

// All threads at once, and for good: real, effective and saved.
int cfsr_become_user(unsigned uid, unsigned group_of_none) {
  struct passwd *entry = getpwuid(uid);
  gid_t gid = entry ? entry->pw_gid : group_of_none;
  int r = entry ? initgroups(entry->pw_name, gid) : setgroups(0, NULL);
  if (r == 0) r = setresgid(gid, gid, gid);
  if (r == 0) r = setresuid(uid, uid, uid);
  return r < 0 ? -errno : 0;
}
