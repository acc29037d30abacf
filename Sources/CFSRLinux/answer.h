// The one convention of this target: what the call answered, or -errno.
#include <errno.h>

#define ANSWER(expression) \
  do { long r_ = (long)(expression); return r_ < 0 ? -errno : (int)r_; } while (0)
#define ANSWER_WIDE(expression) \
  do { int64_t r_ = (int64_t)(expression); return r_ < 0 ? -errno : r_; } while (0)
// A call that a signal may cut short before it did anything is made again.
#define ANSWER_AGAIN(expression) \
  do { int64_t r_; do r_ = (int64_t)(expression); while (r_ < 0 && errno == EINTR); return r_ < 0 ? -errno : r_; } while (0)
