// The soak guest: every hart fills its pages, checks on its next pass that they are as it left them, and
// measures how long the world stood still. It needs nothing but the board, so it runs under QEMU too:
//   qemu-system-riscv64 -M virt -bios none -nographic -m 64M -smp 4 -kernel soak.elf

typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned char u8;

#define HARTS 16
#define PAGE 4096UL
#define WORDS (PAGE / 8)
#define HEADER 4
#define RAM 0x80000000UL
#define UART ((volatile u8 *)0x10000000UL)
#define FINISHER ((volatile u32 *)0x00100000UL)
#define MSIP(hart) ((volatile u32 *)(0x02000000UL + 4 * (hart)))
#define MTIMECMP(hart) ((volatile u64 *)(0x02004000UL + 8 * (hart)))

#define SECOND 10000000UL
// Work and sleep take turns in this time.
#define PERIOD (SECOND / 100)

struct parameters {
  u64 magic, version, duty, working_set, stride, window;
};

struct line {
  u64 ticks, passes, errors, max_gap, window, window_gap, reserved[2];
};

struct statistics {
  u64 magic, version, harts, reserved[5];
  struct line lines[HARTS];
};

// The host writes the first while the guest runs, and reads the second.
__attribute__((aligned(64))) volatile struct parameters fsr_parameters = {
    0x4d41524150525346UL, 1, 100, 0, 1, 0};
__attribute__((aligned(64))) volatile struct statistics fsr_statistics;

extern u8 free_memory[];

static volatile u64 ready;
static u64 first_page, page_count, page_stride, hart_count;

// Shared by all harts: counters that only rise, and a pair that is equal whenever the lock is free.
static u64 added, reserved_and_stored;
static u32 lock;
static volatile u64 pair[2];

struct hart {
  u64 number, last, period_start, seen_added, seen_stored;
  volatile struct line *line;
};

static inline u64 now(void) {
  u64 time;
  __asm__ volatile("rdtime %0" : "=r"(time));
  return time;
}

// A look at the clock: keeps the largest gap since the last look, of the whole life and of the window.
static inline void look(struct hart *hart) {
  volatile struct line *line = hart->line;
  u64 time = now();
  u64 gap = time > hart->last ? time - hart->last : 0;
  hart->last = time;
  u64 window = fsr_parameters.window;
  if (window != line->window) {
    // The gap just seen may have begun before the window: it counts for the new one, in which it ended.
    line->window_gap = gap;
    __asm__ volatile("fence w, w" ::: "memory");
    line->window = window;
  } else if (gap > line->window_gap) {
    line->window_gap = gap;
  }
  if (gap > line->max_gap) line->max_gap = gap;
}

static void put(char byte) {
  while (!(UART[5] & 0x20)) {
  }
  UART[0] = byte;
}

static void put_text(const char *text) {
  while (*text) put(*text++);
}

static void put_number(u64 value) {
  char digits[20];
  int count = 0;
  do {
    digits[count++] = '0' + value % 10;
    value /= 10;
  } while (value);
  while (count) put(digits[--count]);
}

void unexpected_trap(u64 cause, u64 address) {
  put_text("unexpected trap ");
  put_number(cause);
  put_text(" at ");
  put_number(address);
  put('\n');
  *FINISHER = 1 << 16 | 0x3333;
  for (;;) {
  }
}

static u32 big_endian(const u8 *at) {
  return (u32)at[0] << 24 | at[1] << 16 | at[2] << 8 | at[3];
}

static int starts(const char *text, const char *with) {
  while (*with)
    if (*text++ != *with++) return 0;
  return 1;
}

// Takes the number of harts and the size of RAM from the device tree.
static u64 read_tree(const u8 *tree) {
  const u8 *at = tree + big_endian(tree + 8);
  const char *names = (const char *)tree + big_endian(tree + 12);
  u64 memory = 0;
  int in_memory = 0;
  for (;;) {
    u32 token = big_endian(at);
    at += 4;
    if (token == 1) {
      const char *name = (const char *)at;
      if (starts(name, "cpu@")) hart_count++;
      in_memory = starts(name, "memory@");
      while (*at) at++;
      at = (const u8 *)(((u64)at + 4) & ~3UL);
    } else if (token == 3) {
      u32 size = big_endian(at);
      const char *name = names + big_endian(at + 4);
      at += 8;
      if (in_memory && starts(name, "reg") && size >= 16)
        memory = (u64)big_endian(at + 8) << 32 | big_endian(at + 12);
      at += (size + 3) & ~3U;
    } else if (token == 9) {
      return memory;
    } else if (token == 2) {
      in_memory = 0;
    }
  }
}

// Splits the mix of page and pass over 64 bits; the seed of a page's content.
static inline u64 mix(u64 value) {
  value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9UL;
  value = (value ^ (value >> 27)) * 0x94d049bb133111ebUL;
  return value ^ (value >> 31);
}

static inline u64 step(u64 word, u64 odd) {
  // Every other page holds one word again and again, which compresses; the others do not.
  if (!odd) return word;
  word ^= word << 13;
  word ^= word >> 7;
  return word ^ word << 17;
}

// Checks a page against the last pass and writes it for this one; answers whether it was as left.
static int walk_page(struct hart *hart, u64 page, u64 pass) {
  volatile u64 *words = (volatile u64 *)((first_page + page * page_stride) * PAGE);
  u64 odd = page & 1;
  u64 old = mix(page << 20 ^ (pass - 1)) | 1, new = mix(page << 20 ^ pass) | 1;
  u64 old_sum = 0, new_sum = 0, differs = 0;
  u64 header = words[0] ^ page | words[1] ^ (pass - 1);
  u64 checksum = words[2];
  // The header goes first: the host sees which pass is under way.
  words[0] = page;
  words[1] = pass;
  for (u64 i = HEADER; i < WORDS; i++) {
    u64 was = words[i];
    differs |= was ^ old;
    old_sum += was;
    words[i] = new;
    new_sum += new;
    old = step(old, odd);
    new = step(new, odd);
    if (i % 64 == 0) look(hart);
  }
  words[2] = new_sum;
  hart->line->ticks++;
  return pass == 1 || (header | differs | (checksum ^ old_sum)) == 0;
}

// Counters shared with the other harts; answers how many went wrong.
static u64 share(struct hart *hart) {
  u64 wrong = 0;
  u64 was = __atomic_fetch_add(&added, 1, __ATOMIC_ACQ_REL);
  if (was < hart->seen_added) wrong++;
  hart->seen_added = was + 1;

  u64 value, failed;
  do {
    __asm__ volatile(
        "lr.d.aq %0, (%2)\n  addi %0, %0, 1\n  sc.d.rl %1, %0, (%2)"
        : "=&r"(value), "=&r"(failed)
        : "r"(&reserved_and_stored)
        : "memory");
  } while (failed);
  if (value <= hart->seen_stored) wrong++;
  hart->seen_stored = value;

  // Nobody waits for the lock: its holder may be the one that stands still.
  if (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE) == 0) {
    u64 one = pair[0] + 1;
    pair[0] = one;
    if (pair[1] + 1 != one) wrong++;
    pair[1] = one;
    __atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
  }
  return wrong;
}

// Sleeps for the rest of the period once its working share is over.
static void rest(struct hart *hart) {
  u64 duty = fsr_parameters.duty;
  if (duty == 0 || duty >= 100) return;
  u64 time = now();
  if (time - hart->period_start < PERIOD * duty / 100) return;
  u64 until = hart->period_start + PERIOD;
  if (until > time) {
    *MTIMECMP(hart->number) = until;
    __asm__ volatile("csrs mie, %0" ::"r"(1 << 7));
    while ((time = now()) < until) __asm__ volatile("wfi");
    __asm__ volatile("csrc mie, %0" ::"r"(1 << 7));
    *MTIMECMP(hart->number) = ~0UL;
    // Sleep is no gap; oversleeping is.
    hart->last = until;
    look(hart);
  }
  hart->period_start = time;
}

static void report(u64 number, u64 pass) {
  u64 errors = 0;
  for (u64 i = 0; i < hart_count; i++) errors += fsr_statistics.lines[i].errors;
  put_text("line ");
  put_number(number);
  put_text(" pass ");
  put_number(pass);
  put_text(" errors ");
  put_number(errors);
  put('\n');
}

// Hart 0 lays out the working set and wakes the others.
static void prepare(const u8 *tree) {
  u64 memory = read_tree(tree);
  if (hart_count > HARTS) hart_count = HARTS;
  u64 end = RAM + memory;
  // The tree stays, where it is at the end of RAM.
  if ((u64)tree > (u64)free_memory && (u64)tree - RAM >= memory / 2 && (u64)tree < end) end = (u64)tree;
  page_stride = fsr_parameters.stride ? fsr_parameters.stride : 1;
  first_page = (u64)free_memory / PAGE;
  page_count = (end / PAGE - first_page) / page_stride;
  u64 wanted = fsr_parameters.working_set / PAGE;
  if (wanted && wanted < page_count) page_count = wanted;
  fsr_statistics.version = 1;
  fsr_statistics.harts = hart_count;
  __asm__ volatile("fence w, w" ::: "memory");
  fsr_statistics.magic = 0x5354415453525346UL;
  put_text("fsr soak guest: harts ");
  put_number(hart_count);
  put_text(" pages ");
  put_number(page_count);
  put('\n');
  __atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
  for (u64 i = 1; i < hart_count; i++) *MSIP(i) = 1;
}

void soak(u64 number, const u8 *tree) {
  if (number >= HARTS) {
    for (;;) __asm__ volatile("wfi");
  }
  if (number == 0) {
    prepare(tree);
  } else {
    __asm__ volatile("csrs mie, %0" ::"r"(1 << 3));
    while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE)) __asm__ volatile("wfi");
    __asm__ volatile("csrc mie, %0" ::"r"(1 << 3));
    *MSIP(number) = 0;
  }
  struct hart hart = {number, now(), now(), 0, 0, &fsr_statistics.lines[number]};
  u64 line = 0, next_line = 0;
  for (u64 pass = 1;; pass++) {
    for (u64 page = number; page < page_count; page += hart_count) {
      if (!walk_page(&hart, page, pass)) hart.line->errors++;
      u64 wrong = share(&hart);
      if (wrong) hart.line->errors += wrong;
      rest(&hart);
    }
    look(&hart);
    hart.line->passes = pass;
    if (number == 0 && hart.last >= next_line) {
      report(++line, pass);
      next_line = hart.last + SECOND;
    }
  }
}
