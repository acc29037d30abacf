#include "kernels.h"

// A generator without state elsewhere (xorshift64).
static inline u64 next(u64 word) {
  word ^= word << 13;
  word ^= word >> 7;
  return word ^ word << 17;
}

#define SEED 0x9e3779b97f4a7c15UL

// Sieve of Eratosthenes: byte stores in strides, one load and branch per candidate.
#define SIEVE 65536UL

static int sieve(u8 *composite, u64 rounds) {
  u64 right = 1;
  while (rounds--) {
    u64 count = 0;
    for (u64 i = 0; i < SIEVE; i++) composite[i] = 0;
    for (u64 i = 2; i < SIEVE; i++) {
      if (composite[i]) continue;
      count++;
      for (u64 multiple = i * i; multiple < SIEVE; multiple += i) composite[multiple] = 1;
    }
    right &= count == 6542;
  }
  return (int)right;
}

// CRC-32 by a table over random bytes: a chain of dependent loads.
#define CRC_BYTES 32768UL

static u32 crc(const u32 *table, const u8 *bytes, u64 count) {
  u32 sum = ~0U;
  for (u64 i = 0; i < count; i++) sum = table[(sum ^ bytes[i]) & 255] ^ sum >> 8;
  return ~sum;
}

static int crc32(u8 *memory, u64 rounds) {
  u32 *table = (u32 *)memory;
  u8 *bytes = memory + 1024;
  for (u32 i = 0; i < 256; i++) {
    u32 entry = i;
    for (int bit = 0; bit < 8; bit++) entry = entry >> 1 ^ (0xedb88320U & -(entry & 1));
    table[i] = entry;
  }
  if (crc(table, (const u8 *)"123456789", 9) != 0xcbf43926U) return 0;
  u64 word = SEED;
  for (u64 i = 0; i < CRC_BYTES; i++) bytes[i] = (u8)(word = next(word));
  // The sum behind its own bytes gives one and the same remainder, whatever the bytes are.
  int right = 1;
  while (rounds--) {
    bytes[rounds % CRC_BYTES] ^= (u8)rounds;
    u32 sum = crc(table, bytes, CRC_BYTES);
    for (u64 i = 0; i < 4; i++) bytes[CRC_BYTES + i] = (u8)(sum >> 8 * i);
    right &= crc(table, bytes, CRC_BYTES + 4) == 0x2144df1cU;
  }
  return right;
}

// Quicksort of random words: calls, branches that nobody can predict.
#define SORTED 8192UL

static void quicksort(u32 *words, long low, long high) {
  while (low < high) {
    u32 pivot = words[low + (high - low) / 2];
    long left = low - 1, right = high + 1;
    for (;;) {
      do left++; while (words[left] < pivot);
      do right--; while (words[right] > pivot);
      if (left >= right) break;
      u32 word = words[left];
      words[left] = words[right];
      words[right] = word;
    }
    // The shorter half is a call, the longer one the next turn: the stack stays short.
    if (right - low < high - right) {
      quicksort(words, low, right);
      low = right + 1;
    } else {
      quicksort(words, right + 1, high);
      high = right;
    }
  }
}

static int sort(u8 *memory, u64 rounds) {
  u32 *words = (u32 *)memory;
  u64 word = SEED;
  int right = 1;
  while (rounds--) {
    u64 before = 0, after = 0;
    for (u64 i = 0; i < SORTED; i++) before += words[i] = (u32)(word = next(word));
    quicksort(words, 0, SORTED - 1);
    for (u64 i = 0; i < SORTED; i++) {
      after += words[i];
      if (i > 0 && words[i - 1] > words[i]) right = 0;
    }
    if (before != after) right = 0;
  }
  return right;
}

// Multiplication of two matrices of 64-bit integers.
#define SIDE 64UL

static int matrix(u8 *memory, u64 rounds) {
  u64 *a = (u64 *)memory, *b = a + SIDE * SIDE, *product = b + SIDE * SIDE, word = SEED;
  for (u64 i = 0; i < SIDE * SIDE; i++) {
    a[i] = word = next(word);
    b[i] = word = next(word);
  }
  int right = 1;
  while (rounds--) {
    a[rounds % (SIDE * SIDE)] ^= rounds;
    for (u64 row = 0; row < SIDE; row++)
      for (u64 column = 0; column < SIDE; column++) {
        u64 sum = 0;
        for (u64 i = 0; i < SIDE; i++) sum += a[row * SIDE + i] * b[i * SIDE + column];
        product[row * SIDE + column] = sum;
      }
    // Times a vector of ones, it must be a times (b times that vector).
    u64 partial[SIDE];
    for (u64 row = 0; row < SIDE; row++) {
      partial[row] = 0;
      for (u64 i = 0; i < SIDE; i++) partial[row] += b[row * SIDE + i];
    }
    for (u64 row = 0; row < SIDE; row++) {
      u64 one = 0, other = 0;
      for (u64 i = 0; i < SIDE; i++) {
        one += product[row * SIDE + i];
        other += a[row * SIDE + i] * partial[i];
      }
      if (one != other) right = 0;
    }
  }
  return right;
}

// Search for a string in text (Horspool): byte loads, a table of skips, few matches.
#define TEXT 131072UL
#define PLANTED 61UL

static int search(u8 *memory, u64 rounds) {
  static const u8 needle[] = "a needle in it";
  const u64 length = sizeof needle - 1;
  u8 *skip = memory, *text = memory + 256;
  u64 word = SEED;
  // Lower case and spaces, as text is.
  for (u64 i = 0; i < TEXT; i++) {
    word = next(word);
    text[i] = word % 6 == 0 ? ' ' : (u8)('a' + word / 8 % 26);
  }
  for (u64 n = 0; n < PLANTED; n++)
    for (u64 i = 0; i < length; i++) text[n * (TEXT / PLANTED) + 7 + i] = needle[i];
  for (u64 i = 0; i < 256; i++) skip[i] = (u8)length;
  for (u64 i = 0; i + 1 < length; i++) skip[needle[i]] = (u8)(length - 1 - i);
  int right = 1;
  while (rounds--) {
    u64 found = 0;
    for (u64 at = 0; at + length <= TEXT;) {
      u64 i = length;
      while (i > 0 && text[at + i - 1] == needle[i - 1]) i--;
      if (i == 0) found++;
      at += skip[text[at + length - 1]];
    }
    right &= found == PLANTED;
  }
  return right;
}

// A walk along a linked list whose nodes lie in random order: one load after the other.
#define NODES 4096UL

struct node {
  struct node *following;
  u64 value;
};

static int list(u8 *memory, u64 rounds) {
  struct node *nodes = (struct node *)memory;
  u32 *order = (u32 *)(nodes + NODES);
  u64 word = SEED;
  for (u64 i = 0; i < NODES; i++) order[i] = (u32)i;
  for (u64 i = NODES - 1; i > 0; i--) {
    u64 other = (word = next(word)) % (i + 1);
    u32 kept = order[i];
    order[i] = order[other];
    order[other] = kept;
  }
  for (u64 i = 0; i < NODES; i++) {
    nodes[order[i]].following = &nodes[order[(i + 1) % NODES]];
    nodes[order[i]].value = i;
  }
  int right = 1;
  while (rounds--) {
    struct node *at = &nodes[order[0]], *first = at;
    u64 sum = 0, count = 0;
    do {
      sum += at->value;
      count++;
      at = at->following;
    } while (at != first);
    right &= count == NODES && sum == NODES * (NODES - 1) / 2;
  }
  return right;
}

// Fibonacci numbers by recursion: calls, returns, the stack.
static __attribute__((noinline)) u64 fibonacci(u64 n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static int recursion(u8 *memory, u64 rounds) {
  (void)memory;
  u64 right = 1;
  while (rounds--) {
    // The compiler may not know what is asked for.
    u64 n = 20;
    __asm__ volatile("" : "+r"(n));
    right &= fibonacci(n) == 6765;
  }
  return (int)right;
}

const struct kernel kernels[] = {
    {"sieve", sieve, 150},    {"crc32", crc32, 300}, {"sort", sort, 150}, {"matrix", matrix, 100},
    {"search", search, 2000}, {"list", list, 10000}, {"recursion", recursion, 850},
};
const u64 kernel_count = sizeof kernels / sizeof kernels[0];
