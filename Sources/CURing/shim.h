// liburing.h asks the C library for another standard than every other module does, which gives fd_set another
// member's name. The first one to ask is heard.
#include <features.h>
#include <liburing.h>
